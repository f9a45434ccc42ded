import Foundation
import Frames
package import Ledger
import Plate
package import Reporting

/// The masks of a run as label images: TIFF of 16 bit, 0 for normal pixels and a number for each region, largest first.
package enum LabelImages {
    /// Writes `NAME.labels.tiff` for every mask into a folder, which is made; says how many, and how many masks were not
    /// readable.
    package static func write(
        run: String?,
        ledger: FrameLedger,
        tree: OutputTree,
        to folder: String
    ) throws -> (written: Int, leftOut: Int) {
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        var (written, leftOut) = (0, 0)
        for run in try run.map({ [$0] }) ?? ledger.runs().map(\.run) {
            for well in try ledger.wells(of: run) where well.flagged > 0 {
                var selection = FrameLedger.Selection(limit: .max)
                selection.flaggedOnly = true
                for record in try ledger.records(of: well.well, run: run, selection) {
                    guard let name = record.judgement?.maskPath.flatMap(Sidecars.name(ofMask:)) else {
                        continue
                    }
                    let isWritten = try write(
                        "\(tree.masks(run: run))/\(name).mask.tiff",
                        to: "\(folder)/\(name).labels.tiff"
                    )
                    (written, leftOut) = isWritten ? (written + 1, leftOut) : (written, leftOut + 1)
                }
            }
        }
        return (written, leftOut)
    }

    private static func write(_ mask: String, to path: String) throws -> Bool {
        guard let reader = try? TIFFReader(path: mask), let frame = try? reader.frame(page: 0) else {
            return false
        }
        let labels = LabelImage(
            Mask(height: frame.height, width: frame.width, values: frame.pixels.map { $0 > 0 ? 1 : 0 })
        )
        try TIFFWriter.write(labels.frame, to: path, type: .uint16, pixelSize: reader.pixelSize)
        return true
    }
}
