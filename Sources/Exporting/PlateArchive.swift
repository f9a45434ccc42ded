import Foundation
import Frames
package import Ledger
package import Plate
package import Reporting

/// A run as an OME-Zarr 0.5 plate (OME-NGFF, high-content screening), with the masks as label images.
///
/// ```
/// DIR/zarr.json                          plate: rows, columns, wells
/// DIR/B/1/zarr.json                      well
/// DIR/B/1/0/0                            frames, time x height x width
/// DIR/B/1/0/labels/faults/0              regions of the masks, numbered, on the same axes
/// ```
/// All wells share one axis of time, the frame numbers of the run in order; where a well has no frame, or its file is gone, the
/// plane is black. Which frame a plane is stands in the plate's attributes under `autoqc`; its file, severity and verdict in the image's. One
/// resolution: a frame is no larger than a screen. Written from the frames' own files, which have to be there still.
package struct PlateArchive {
    /// How it came out.
    package struct Outcome: Sendable, Equatable {
        /// Wells written.
        package fileprivate(set) var wells = 0
        /// Frames written.
        package fileprivate(set) var frames = 0
        /// Frames with a mask.
        package fileprivate(set) var masks = 0
        /// Frames whose file is gone, cannot be read, or is of another size than the first of its well.
        package fileprivate(set) var leftOut = 0
    }

    private let run: String
    private let ledger: FrameLedger
    private let tree: OutputTree
    private let flaggedOnly: Bool
    private let root: URL

    /// Names what is written where; the folder must not be there yet, or be empty.
    package init(run: String, ledger: FrameLedger, tree: OutputTree, flaggedOnly: Bool, folder: String) {
        self.run = run
        self.ledger = ledger
        self.tree = tree
        self.flaggedOnly = flaggedOnly
        root = URL(filePath: folder)
    }

    /// Writes it; `report` hears of each well.
    package func write(report: (_ well: Well, _ outcome: Outcome) -> Void = { _, _ in }) throws -> Outcome {
        var outcome = Outcome()
        var written: [Well] = []
        let times = try times()
        for summary in try ledger.wells(of: run) where !flaggedOnly || summary.flagged > 0 {
            guard try write(summary.well, times, &outcome) else { continue }
            written.append(summary.well)
            outcome.wells += 1
            report(summary.well, outcome)
        }
        try writePlate(written, times)
        return outcome
    }

    private var selection: FrameLedger.Selection {
        var selection = FrameLedger.Selection(limit: .max)
        selection.flaggedOnly = flaggedOnly
        return selection
    }

    /// The numbers of the frames that any well has, in order.
    private func times() throws -> [Int] {
        var frames: Set<Int> = []
        for summary in try ledger.wells(of: run) {
            try ledger.forEachPoint(of: summary.well, run: run) { point in
                if point.state == .judged, point.isFaulty || !flaggedOnly { frames.insert(point.frame) }
            }
        }
        return frames.sorted()
    }

    private func writePlate(_ wells: [Well], _ times: [Int]) throws {
        let rows = Set(wells.map(\.row)).sorted()
        let columns = Set(wells.map(\.column)).sorted()
        for row in rows { try ZarrGroup.make(root.appending(path: Self.letters(row))) }
        let plate: [String: Any] = [
            "name": run, "field_count": 1,
            "acquisitions": [["id": 0, "name": run, "maximumfieldcount": 1] as [String: Any]],
            "rows": rows.map { ["name": Self.letters($0)] }, "columns": columns.map { ["name": "\($0)"] },
            "wells": wells.map { well in
                [
                    "path": Self.path(well), "rowIndex": rows.firstIndex(of: well.row) ?? 0,
                    "columnIndex": columns.firstIndex(of: well.column) ?? 0,
                ] as [String: Any]
            },
        ]
        try ZarrGroup.make(root, ome: ["plate": plate], autoqc: ["frames": times])
    }

    private static func letters(_ row: Int) -> String {
        Well(row: row, column: 1).map { String($0.description.dropLast(2)) } ?? "\(row)"
    }

    private static func path(_ well: Well) -> String { "\(letters(well.row))/\(well.column)" }

    /// A well's frames; `false` where none of them can be read.
    private func write(_ well: Well, _ times: [Int], _ outcome: inout Outcome) throws -> Bool {
        let records = try ledger.records(of: well, run: run, selection).reversed()
        let folder = root.appending(path: Self.path(well))
        var writer = WellArchive(folder: folder.appending(path: "0"), tree: tree, run: run, times: times)
        for record in records { writer.survey(record) }
        outcome.leftOut += writer.leftOut
        guard !writer.isEmpty else { return false }
        outcome.frames += writer.frames
        outcome.masks += try writer.write(named: well.description)
        let image: [String: Any] = ["path": "0", "acquisition": 0]
        try ZarrGroup.make(folder, ome: ["well": ["images": [image]]])
        return true
    }
}
