import Foundation
import Frames
package import Ledger
import Plate
package import Reporting

/// The masks of runs in a form for other tools: a file for each mask, `DIR/RUN/NAME.labels.tiff` or `DIR/RUN/NAME.rois.zip`.
package struct MaskFiles {
    /// The form.
    package enum Form: String, Sendable {
        /// TIFF of 16 bit, 0 for normal pixels and a number for each region, largest first.
        case labels
        /// The regions for the ROI manager of ImageJ (`RegionArchive`).
        case rois
    }

    private let form: Form
    private let run: String?
    private let ledger: FrameLedger
    private let tree: OutputTree
    private let folder: ExportFolder

    /// Names what is written where; the folder must not be there yet, be empty, or hold the same export unfinished.
    package init(
        _ form: Form,
        run: String?,
        ledger: FrameLedger,
        tree: OutputTree,
        version: String,
        folder: String
    ) throws {
        (self.form, self.run, self.ledger, self.tree) = (form, run, ledger, tree)
        let state = try ExportFolder.state(of: run, ledger: ledger, tree: tree)
        self.folder = try ExportFolder(folder, parts: [form.rawValue, version, run ?? ""] + state)
    }

    /// Writes a file for every mask; says how many, and how many masks were not readable.
    package func write() throws -> (written: Int, leftOut: Int) {
        var (written, leftOut) = (0, 0)
        for run in try run.map({ [$0] }) ?? ledger.runs().map(\.run) {
            // Frames of two runs may have the same name.
            let own = folder.folder(SafeName.of(run))
            for well in try ledger.wells(of: run) where well.flagged > 0 {
                for record in try ledger.records(of: well.well, run: run, .init(flaggedOnly: true)) {
                    guard let judgement = record.judgement,
                        let name = judgement.maskPath.flatMap(Sidecars.name(ofMask:))
                    else { continue }
                    let isWritten = try write(
                        "\(tree.masks(run: run))/\(name).mask.tiff",
                        judgement,
                        named: name,
                        into: own
                    )
                    (written, leftOut) = isWritten ? (written + 1, leftOut) : (written, leftOut + 1)
                }
            }
        }
        try folder.finish()
        return (written, leftOut)
    }

    private func write(
        _ path: String,
        _ judgement: Judgement,
        named name: String,
        into folder: ExportFolder
    ) throws -> Bool {
        guard let reader = try? TIFFReader(path: path), let frame = try? reader.frame(page: 0) else {
            return false
        }
        let mask = Mask(frame)
        switch form {
        case .labels:
            try folder.add("\(name).labels.tiff") {
                try TIFFWriter.write(
                    LabelImage(mask).frame,
                    to: $0,
                    type: .uint16,
                    pixelSize: reader.pixelSize
                )
            }
        case .rois:
            try folder.add("\(name).rois.zip") {
                RegionArchive.bytes(of: MaskOutline(mask), judgement, frame: name)
            }
        }
        return true
    }
}
