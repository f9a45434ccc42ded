import Foundation

/// A picture in SVG 1.1, written from back to front; lengths in pixels.
package struct Drawing: Sendable {
    /// Where a text stands from its point.
    package enum Anchor: String, Sendable {
        /// It begins there.
        case start
        /// It is centred there.
        case middle
        /// It ends there.
        case end
    }

    /// Width of the picture.
    package let width: Int
    /// Height of the picture.
    package let height: Int
    private var elements: [String] = []
    private static let ink = "#222222"

    /// A white picture.
    package init(width: Int, height: Int) {
        (self.width, self.height) = (width, height)
        rectangle(x: 0, y: 0, width: Double(width), height: Double(height), fill: "#ffffff")
    }

    /// The whole file.
    package var svg: String {
        let head =
            "<svg xmlns=\"http://www.w3.org/2000/svg\" xmlns:xlink=\"http://www.w3.org/1999/xlink\" "
            + "width=\"\(width)\" height=\"\(height)\" viewBox=\"0 0 \(width) \(height)\" "
            + "font-family=\"DejaVu Sans, Arial, sans-serif\">"
        return (["<?xml version=\"1.0\" encoding=\"UTF-8\"?>", head] + elements + ["</svg>"])
            .joined(separator: "\n") + "\n"
    }

    /// A filled rectangle.
    package mutating func rectangle(x: Double, y: Double, width: Double, height: Double, fill: String) {
        elements.append(
            "<rect x=\"\(Self.number(x))\" y=\"\(Self.number(y))\" width=\"\(Self.number(width))\" "
                + "height=\"\(Self.number(height))\" fill=\"\(fill)\"/>"
        )
    }

    /// A line through points; `dashes` are lengths of strokes and gaps.
    package mutating func line(
        _ points: [(x: Double, y: Double)],
        colour: String,
        thickness: Double = 1,
        dashes: String = "",
        opacity: Double = 1
    ) {
        let dashed = dashes.isEmpty ? "" : " stroke-dasharray=\"\(dashes)\""
        let faint = opacity < 1 ? " stroke-opacity=\"\(Self.number(opacity))\"" : ""
        elements.append(
            "<polyline points=\"\(Self.list(points))\" fill=\"none\" stroke=\"\(colour)\" "
                + "stroke-width=\"\(Self.number(thickness))\" stroke-linejoin=\"round\"\(dashed)\(faint)/>"
        )
    }

    /// A filled disc.
    package mutating func dot(x: Double, y: Double, radius: Double, colour: String) {
        elements.append(
            "<circle cx=\"\(Self.number(x))\" cy=\"\(Self.number(y))\" r=\"\(Self.number(radius))\" "
                + "fill=\"\(colour)\"/>"
        )
    }

    /// A text on its base line; `isUpright` rotates it, to be read from below.
    package mutating func text(
        _ text: String,
        x: Double,
        y: Double,
        size: Int = 14,
        anchor: Anchor = .start,
        isBold: Bool = false,
        isUpright: Bool = false
    ) {
        let weight = isBold ? " font-weight=\"bold\"" : ""
        let rotation = isUpright ? " transform=\"rotate(-90 \(Self.number(x)) \(Self.number(y)))\"" : ""
        elements.append(
            "<text x=\"\(Self.number(x))\" y=\"\(Self.number(y))\" font-size=\"\(size)\" "
                + "fill=\"\(Self.ink)\" "
                + "text-anchor=\"\(anchor.rawValue)\"\(weight)\(rotation)>\(Self.escaped(text))</text>"
        )
    }

    /// A PNG inside the file, so that it stays one file.
    package mutating func image(png: [UInt8], x: Double, y: Double, width: Int, height: Int) {
        elements.append(
            "<image x=\"\(Self.number(x))\" y=\"\(Self.number(y))\" width=\"\(width)\" height=\"\(height)\" "
                + "xlink:href=\"data:image/png;base64,\(Data(png).base64EncodedString())\"/>"
        )
    }

    /// Points as an attribute has them.
    static func list(_ points: [(x: Double, y: Double)]) -> String {
        points.map { "\(number($0.x)),\(number($0.y))" }.joined(separator: " ")
    }

    /// A length with two digits after the point at most.
    static func number(_ value: Double) -> String {
        let rounded = (value * 100).rounded() / 100
        return rounded == rounded.rounded() && abs(rounded) < 1e15 ? "\(Int(rounded))" : "\(rounded)"
    }

    /// Text between tags and in attributes.
    package static func escaped(_ text: String) -> String {
        // Control characters are not allowed in XML, not even escaped.
        text.filter { $0.unicodeScalars.allSatisfy { $0.value >= 32 } }
            .replacing("&", with: "&amp;").replacing("<", with: "&lt;").replacing(">", with: "&gt;")
            .replacing("\"", with: "&quot;").replacing("'", with: "&#39;")
    }
}
