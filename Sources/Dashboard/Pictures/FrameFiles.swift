import Frames
import Ledger
import Plate
import Reporting

/// The files that belong to a frame: named by the ledger's row, never by a request.
struct FrameFiles {
    let tree: OutputTree
    let record: FrameRecord

    /// The frame's own file.
    var framePath: String {
        record.source.absolutePath
    }

    private var name: String? {
        guard let mask = record.judgement?.maskPath, let name = Sidecars.name(ofMask: mask),
            !name.contains("/")
        else {
            return nil
        }
        return name
    }

    private var folder: String? { (record.frame?.run).map { tree.folder(run: $0) } }

    /// The mask, for a frame that has one.
    var maskPath: String? { sidecar("masks", "mask.tiff") }

    /// The outlines of its regions.
    var regionsPath: String? { sidecar("masks", "mask.geojson") }

    /// The score map, which may not have been kept.
    var heatMapPath: String? { sidecar("scores", "scores.tiff") }

    private func sidecar(_ place: String, _ ending: String) -> String? {
        guard let folder, let name else { return nil }
        return "\(folder)/\(place)/\(name).\(ending)"
    }

    /// The frame's pixels, or `nil` where its file is gone, was changed or cannot be read.
    func readFrame() -> Frame? {
        guard let reader = try? TIFFReader(path: framePath), record.source.page < reader.pageCount else {
            return nil
        }
        return try? reader.frame(page: record.source.page)
    }

    /// The mask, or `nil` where there is none or it cannot be read.
    func readMask() -> Mask? {
        guard let path = maskPath, let frame = try? TIFFReader(path: path).frame(page: 0) else { return nil }
        return Mask(
            height: frame.height,
            width: frame.width,
            values: frame.pixels.map { $0 > 0 ? 1 : 0 }
        )
    }

    /// The score map as grey values, or `nil` where it was not kept or cannot be read.
    func readHeatMap() -> Frame? {
        heatMapPath.flatMap { try? TIFFReader(path: $0).frame(page: 0) }
    }
}
