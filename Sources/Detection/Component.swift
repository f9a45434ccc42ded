public import Plate

/// Faulty pixels that touch one another, edges and corners alike.
public struct Component: Sendable, Equatable {
    /// Number of pixels.
    public let area: Int
    /// The smallest rectangle that holds them.
    public let boundingBox: PixelRectangle

    /// Describes a component.
    public init(area: Int, boundingBox: PixelRectangle) {
        self.area = area
        self.boundingBox = boundingBox
    }
}
