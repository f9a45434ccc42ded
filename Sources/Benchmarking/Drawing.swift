import Foundation
import Frames

/// A picture in SVG 1.1, written from back to front; lengths in pixels.
struct Drawing {
    /// Where a text stands from its point.
    enum Anchor: String {
        case start
        case middle
        case end
    }

    let width: Int
    let height: Int
    private var elements: [String] = []
    private static let ink = "#222222"

    init(width: Int, height: Int) {
        (self.width, self.height) = (width, height)
        rectangle(x: 0, y: 0, width: Double(width), height: Double(height), fill: "#ffffff")
    }

    /// The whole file.
    var svg: String {
        let head =
            "<svg xmlns=\"http://www.w3.org/2000/svg\" xmlns:xlink=\"http://www.w3.org/1999/xlink\" "
            + "width=\"\(width)\" height=\"\(height)\" viewBox=\"0 0 \(width) \(height)\" "
            + "font-family=\"DejaVu Sans, Arial, sans-serif\">"
        return (["<?xml version=\"1.0\" encoding=\"UTF-8\"?>", head] + elements + ["</svg>"])
            .joined(separator: "\n") + "\n"
    }

    mutating func rectangle(x: Double, y: Double, width: Double, height: Double, fill: String) {
        elements.append(
            "<rect x=\"\(Self.number(x))\" y=\"\(Self.number(y))\" width=\"\(Self.number(width))\" "
                + "height=\"\(Self.number(height))\" fill=\"\(fill)\"/>"
        )
    }

    /// A line through points; `dashes` are lengths of strokes and gaps.
    mutating func line(
        _ points: [(x: Double, y: Double)],
        colour: String,
        thickness: Double = 1,
        dashes: String = "",
        opacity: Double = 1
    ) {
        let list = points.map { "\(Self.number($0.x)),\(Self.number($0.y))" }.joined(separator: " ")
        let dashed = dashes.isEmpty ? "" : " stroke-dasharray=\"\(dashes)\""
        let faint = opacity < 1 ? " stroke-opacity=\"\(Self.number(opacity))\"" : ""
        elements.append(
            "<polyline points=\"\(list)\" fill=\"none\" stroke=\"\(colour)\" "
                + "stroke-width=\"\(Self.number(thickness))\" stroke-linejoin=\"round\"\(dashed)\(faint)/>"
        )
    }

    /// A text on its base line; `isUpright` turns it to be read from below.
    mutating func text(
        _ text: String,
        x: Double,
        y: Double,
        size: Int = 14,
        anchor: Anchor = .start,
        isBold: Bool = false,
        isUpright: Bool = false
    ) {
        let weight = isBold ? " font-weight=\"bold\"" : ""
        let turn = isUpright ? " transform=\"rotate(-90 \(Self.number(x)) \(Self.number(y)))\"" : ""
        elements.append(
            "<text x=\"\(Self.number(x))\" y=\"\(Self.number(y))\" font-size=\"\(size)\" "
                + "fill=\"\(Self.ink)\" "
                + "text-anchor=\"\(anchor.rawValue)\"\(weight)\(turn)>\(Self.escaped(text))</text>"
        )
    }

    /// An image inside the file, so that it stays one file.
    mutating func image(_ image: PNGImage, x: Double, y: Double) throws(PNGError) {
        let data = Data(try image.encoded()).base64EncodedString()
        elements.append(
            "<image x=\"\(Self.number(x))\" y=\"\(Self.number(y))\" width=\"\(image.width)\" "
                + "height=\"\(image.height)\" xlink:href=\"data:image/png;base64,\(data)\"/>"
        )
    }

    private static func number(_ value: Double) -> String {
        let rounded = (value * 100).rounded() / 100
        return rounded == rounded.rounded() ? "\(Int(rounded))" : "\(rounded)"
    }

    private static func escaped(_ text: String) -> String {
        // Control characters are not allowed in XML, not even escaped.
        text.filter { $0.unicodeScalars.allSatisfy { $0.value >= 32 } }
            .replacingOccurrences(of: "&", with: "&amp;").replacingOccurrences(of: "<", with: "&lt;")
            .replacingOccurrences(of: ">", with: "&gt;").replacingOccurrences(of: "\"", with: "&quot;")
    }
}
