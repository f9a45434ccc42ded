/// How large a pixel is in the sample, in um.
package struct PixelSize: Sendable, Equatable {
    /// Width of a pixel, in um.
    package let x: Double
    /// Height of a pixel, in um.
    package let y: Double

    /// Takes positive, finite sizes in um; others are a programmer's mistake.
    package init(x: Double, y: Double) {
        precondition(x > 0 && y > 0 && x.isFinite && y.isFinite, "a pixel is not \(x) x \(y) um large")
        self.x = x
        self.y = y
    }
}
