import Charts
import Files
import Foundation
import Frames
package import Plate

/// The page that shows what a calibration rests on: its figures, and pictures of the frames that are farthest from all others.
///
/// Whether a rare frame is normal is for a person to decide, who needs to see it.
package struct CalibrationSheet {
    /// A frame with its picture.
    private struct Row {
        let title: String
        let frame: PNGImage
        let map: PNGImage
    }

    private let title: String
    private let lines: [String]
    private var rows: [Row] = []

    /// Begins a page with a title and the calibration's figures, one sentence a line.
    package init(title: String, lines: [String]) { (self.title, self.lines) = (title, lines) }

    /// Adds a frame beside the map that its mask is taken of.
    ///
    /// The brightest colour is `limit`, the threshold of the mask.
    package mutating func add(_ title: String, _ frame: Frame, map: ScoreMap, limit: Double) {
        let range = (frame.pixels.min() ?? 0)...(frame.pixels.max() ?? 1)
        rows.append(
            Row(
                title: title,
                frame: PanelImage.grey(frame, range: range),
                map: PanelImage.coloured(map, limit: Float(limit))
            )
        )
    }

    /// Writes the page as one HTML file; throws where it cannot be written.
    package func write(to path: String) throws {
        let text = lines.map { "<p>\(Drawing.escaped($0))</p>" }.joined(separator: "\n")
        let page = """
            <!doctype html>
            <html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
            <title>\(Drawing.escaped(title))</title>
            <style>body{font:15px sans-serif;margin:1em}p{margin:.3em 0}figure{margin:1em 0}img{max-width:48%}</style>
            </head><body><h1>\(Drawing.escaped(title))</h1>
            \(text)
            \(try rows.map(Self.figure).joined(separator: "\n"))
            </body></html>

            """
        do { try OutputFile.write(text: page, to: path) } catch { throw DataError("\(error)") }
    }

    private static func figure(_ row: Row) throws -> String {
        let images = try [row.frame, row.map].map { image in
            "<img alt=\"\" src=\"data:image/png;base64,\(Data(try image.encoded()).base64EncodedString())\">"
        }
        return
            "<figure>\(images.joined(separator: " "))<figcaption>\(Drawing.escaped(row.title))</figcaption></figure>"
    }
}
