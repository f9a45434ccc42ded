package import Files
package import Frames
package import Plate

/// Writes masks, their outlines and score maps beside the alarm logs: `OUT/RUN/masks/NAME.mask.tiff`,
/// `OUT/RUN/masks/NAME.mask.geojson` and `OUT/RUN/scores/NAME.scores.tiff`.
///
/// Each file is written under a temporary name in the same folder, fsynced, renamed, and its folder fsynced: readers
/// see a whole file or none. Name and content follow from the frame and its verdict alone, so that a frame judged twice
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

    /// Writes the mask and, with a verdict to say beside them, its regions; durable when this returns.
    package func write(
        _ mask: Mask,
        pixelSize: PixelSize?,
        run: String,
        name: String,
        regionsOf verdict: RegionVerdict?
    ) throws(OutputError) {
        let folder = tree.masks(run: run)
        try Durable.makeFolders(folder)
        if let verdict {
            let text = verdict.regions(of: MaskOutline(mask), frame: name, pixelSize: pixelSize)
            try Durable.replace("\(folder)/\(name).mask.geojson", with: text)
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
