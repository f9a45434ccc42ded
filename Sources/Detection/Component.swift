package import Plate

/// Faulty pixels that touch one another, edges and corners alike.
package struct Component: Sendable, Equatable {
    /// Number of pixels.
    package let area: Int
    /// The smallest rectangle that holds them.
    package let boundingBox: PixelRectangle

    /// Describes a component.
    package init(area: Int, boundingBox: PixelRectangle) {
        self.area = area
        self.boundingBox = boundingBox
    }
}
