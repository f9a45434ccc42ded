package import Files
package import Frames
package import Plate

/// Writes masks, their outlines and score maps beside the alarm logs: `OUT/RUN/masks/NAME.mask.tiff`,
/// `OUT/RUN/masks/NAME.mask.geojson` and `OUT/RUN/scores/NAME.scores.tiff`.
///
/// Each file is written under a temporary name in the same folder, fsynced, renamed, and its folder fsynced: readers
/// see a whole file or none. Name and content follow from the frame and the mask alone, so that a frame judged twice
/// leaves the same files once.
package struct Sidecars: Sendable {
    /// Writes a mask as a TIFF file of 0 and 255 at a path; the pixel size is that of the frame, in um.
    package typealias MaskWriter =
        @Sendable (_ mask: Mask, _ pixelSize: PixelSize?, _ path: String) throws -> Void

    /// Where the sidecars go.
    package let tree: OutputTree
    private let writeMask: MaskWriter

    /// Writes TIFF files of 8 bit, Deflate, with the pixel size as OME-XML.
    package static let writeTIFF: MaskWriter = { mask, pixelSize, path in
        try TIFFWriter.write(mask, to: path, compression: .fastDeflate, pixelSize: pixelSize)
    }

    /// Writes below `tree` with a writer of mask files.
    package init(tree: OutputTree, writeMask: @escaping MaskWriter) {
        self.tree = tree
        self.writeMask = writeMask
    }

    /// The name that sidecars of a page of a file carry: the file's, without its ending.
    ///
    /// Pages after the first of a movie add `_pNNNN`. `distinction` sets apart a second file of the same name.
    package static func name(file: String, page: Int, distinction: String? = nil) -> String {
        let base = ExactPath(file).name
        let dot = base.utf8.lastIndex(of: UInt8(ascii: "."))
        let stem = String(dot.flatMap { $0 > base.startIndex ? base[..<$0] : nil } ?? base)
        let number = page == 0 ? "" : "_p" + page.digits(4)
        return SafeName.of(stem) + (distinction.map { "_\($0)" } ?? "") + number
    }

    /// Path of a mask relative to its run's folder, as alarm lines and the ledger carry it.
    package static func maskPath(name: String) -> String { "masks/\(name).mask.tiff" }

    /// The name in a path that `maskPath` made; `nil` for another path.
    package static func name(ofMask path: String) -> String? {
        let (front, back) = ("masks/", ".mask.tiff")
        guard path.hasPrefix(front), path.hasSuffix(back) else { return nil }
        return String(path.dropFirst(front.count).dropLast(back.count))
    }

    /// Writes the mask and, if asked, its outline classified by the cause; durable when this returns.
    package func write(
        _ mask: Mask,
        pixelSize: PixelSize?,
        run: String,
        name: String,
        outlinedAs cause: String?
    ) throws(OutputError) {
        let folder = tree.masks(run: run)
        try Durable.makeFolders(folder)
        if let cause {
            let text = GeoJSON.text(MaskOutline(mask), classification: cause == "unknown" ? "fault" : cause)
            try Durable.replace("\(folder)/\(name).mask.geojson", with: text.utf8)
        }
        try Self.replace("\(folder)/\(name).mask.tiff") { try writeMask(mask, pixelSize, $0) }
    }

    /// Replaces a file that is written by a library with errors of its own.
    private static func replace(_ path: String, write: (String) throws -> Void) throws(OutputError) {
        try Durable.replace(path) { temporary throws(OutputError) in
            do {
                try write(temporary)
            } catch {
                throw OutputError("write", temporary, detail: "\(error)")
            }
        }
    }

    /// Writes the map that a mask was taken from; durable when this returns.
    package func write(
        _ scores: ScoreMap,
        pixelSize: PixelSize?,
        run: String,
        name: String
    ) throws(OutputError) {
        try Durable.makeFolders(tree.scores(run: run))
        try Self.replace(scoresPath(run: run, name: name)) {
            try ScoreMapFile.write(scores, pixelSize: pixelSize, to: $0)
        }
    }

    /// Removes mask and outline of a frame that is not faulty any more; none there is as good.
    package func removeMask(run: String, name: String) throws(OutputError) {
        for ending in ["mask.tiff", "mask.geojson"] {
            try Durable.remove("\(tree.masks(run: run))/\(name).\(ending)")
        }
    }

    /// Removes the score map of a frame; none there is as good.
    package func removeScores(run: String, name: String) throws(OutputError) {
        try Durable.remove(scoresPath(run: run, name: name))
    }

    /// Path of the score map that belongs to a name.
    package func scoresPath(run: String, name: String) -> String {
        "\(tree.scores(run: run))/\(name).scores.tiff"
    }
}

/// Regions of a mask as a GeoJSON feature collection that QuPath, Fiji and napari plug-ins read.
///
/// Each region is a `Feature` with a `Polygon` in pixel coordinates (y downwards) and the properties
/// `objectType` (`annotation`) and `classification` (`name`, `color`), as QuPath writes them. No times and no
/// paths: the same mask gives the same bytes.
enum GeoJSON {
    /// The classification's colour: red, green, blue.
    private static let color = [213, 94, 0]

    static func text(_ outline: MaskOutline, classification: String) -> String {
        let features = outline.regions.map { region in
            let rings = region.rings.map { ring in
                "[" + ring.map { "[\($0.x),\($0.y)]" }.joined(separator: ",") + "]"
            }
            return """
                {"type":"Feature","geometry":{"type":"Polygon","coordinates":[\(rings.joined(separator: ","))]},\
                "properties":{"objectType":"annotation","classification":{"name":\(string(classification)),\
                "color":\(color)},"pixels":\(region.pixels)}}
                """
        }
        return "{\"type\":\"FeatureCollection\",\"features\":[\n" + features.joined(separator: ",\n")
            + "\n]}\n"
    }

    private static func string(_ text: String) -> String {
        let escaped = text.unicodeScalars.map { scalar in
            switch scalar {
            case "\"": return "\\\""
            case "\\": return "\\\\"
            case "\u{0}"..."\u{1f}", "\u{7f}"..."\u{9f}":
                return "\\u" + scalar.value.digits(4, radix: 16)
            default: return String(scalar)
            }
        }
        return "\"" + escaped.joined() + "\""
    }
}
