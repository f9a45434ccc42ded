import Foundation
import Frames
package import Ledger
import Mathematics
package import Plate
package import Reporting
import Tables

/// A run as an OME-Zarr 0.5 plate (OME-NGFF, high-content screening), with the masks as label images.
///
/// ```
/// DIR/zarr.json                          plate: rows, columns, wells, times of the first and last frame
/// DIR/B/1/zarr.json                      well; what of it can be used
/// DIR/B/1/0/0, /1, /2                    frames of the well's first view, time x height x width, at each size; DIR/B/1/1 its second
/// DIR/B/1/0/labels/faults/0, /1, /2      faulty pixels on the same axes: 0, or the plane's number + 1
/// ```
/// Each view of a well (field, channel, plane) is an image of its own. All share one axis of time, the frame numbers of the run
/// in order. Files that say the same frame stand one after another, in the order of their paths, so a number can stand there
/// more than once. Where a well has no frame, or its file is gone, the plane is black. Which frame a plane is stands in the plate's attributes
/// under `autoqc`; its file, time, severity and verdict in the image's. Written from the frames' own files, which have to be there still. An
/// export that was killed goes on with the first view that is not whole.
package struct PlateArchive {
    /// How it came out.
    package struct Outcome: Sendable {
        /// Wells written.
        package fileprivate(set) var wells = 0
        /// Frames written.
        package fileprivate(set) var frames = 0
        /// Frames with a mask.
        package fileprivate(set) var masks = 0
        /// Frames whose file is gone, cannot be read, or is of another size than the first of its well.
        package fileprivate(set) var leftOut = 0
        /// Frames of which several files have the name, with the paths of these files.
        package fileprivate(set) var shared: [(frame: FrameID, paths: [String])] = []

        fileprivate var written: ClosedRange<Timestamp>?

        fileprivate mutating func note(_ time: Timestamp) {
            written = min(written?.lowerBound ?? time, time)...max(written?.upperBound ?? time, time)
        }
    }

    private let run: String
    private let ledger: FrameLedger
    private let tree: OutputTree
    private let flaggedOnly: Bool
    private let version: String
    private let folder: ExportFolder

    /// Names what is written where; the folder must not be there yet, be empty, or hold the same export unfinished.
    package init(
        run: String,
        ledger: FrameLedger,
        tree: OutputTree,
        flaggedOnly: Bool,
        version: String,
        folder: String
    ) throws {
        self.run = run
        self.ledger = ledger
        self.tree = tree
        self.flaggedOnly = flaggedOnly
        self.version = version
        self.folder = try ExportFolder(
            folder,
            parts: ["ome-zarr", version, run, "\(flaggedOnly)"]
                + ExportFolder.state(of: run, ledger: ledger, tree: tree)
        )
    }

    /// Writes it; `report` hears of each well.
    package func write(report: (_ well: Well, _ outcome: Outcome) -> Void = { _, _ in }) throws -> Outcome {
        var outcome = Outcome()
        var written: [Well] = []
        var most = 1
        let times = try TimeAxis(slots())
        let usable = Dictionary(
            grouping: try UsableTables(ledger: ledger, tree: tree, run: run).views,
            by: \.well
        )
        var windows = GreyWindows(run: run, ledger: ledger)
        for summary in try ledger.wells(of: run) where !flaggedOnly || summary.flagged > 0 {
            let well = summary.well
            let images = try write(well, times, &windows, &outcome)
            guard images > 0 else { continue }
            try folder.folder(Self.path(well)).add("zarr.json") {
                let paths = (0..<images).map { ["path": "\($0)", "acquisition": 0] as [String: Any] }
                let views = try (usable[well] ?? []).map { view in
                    try JSONSerialization.jsonObject(with: Data(UsableTables.ofWells.json(view).utf8))
                }
                return try ExportedJSON.data(
                    ZarrGroup.document(ome: ["well": ["images": paths]], autoqc: ["views": views])
                )
            }
            written.append(well)
            most = max(most, images)
            outcome.wells += 1
            report(well, outcome)
        }
        guard outcome.wells > 0 else { return outcome }
        try writePlate(written, times, images: most, outcome.written)
        try folder.finish()
        return outcome
    }

    /// For each number of a frame that any well has, how many files of one view have it at most.
    private func slots() throws -> [Int: Int] {
        var slots: [Int: Int] = [:]
        for summary in try ledger.wells(of: run) {
            for view in try ledger.views(of: summary.well, run: run) {
                var counts: [Int: Int] = [:]
                try ledger.forEachPoint(of: summary.well, view: view, run: run) { point in
                    if point.state == .judged, point.isFaulty || !flaggedOnly {
                        counts[point.frame, default: 0] += 1
                    }
                }
                slots.merge(counts) { max($0, $1) }
            }
        }
        return slots
    }

    private func writePlate(
        _ wells: [Well],
        _ times: TimeAxis,
        images: Int,
        _ written: ClosedRange<Timestamp>?
    ) throws {
        let rows = Set(wells.map(\.row)).sorted()
        let columns = Set(wells.map(\.column)).sorted()
        for row in rows {
            try folder.add("\(Well.letters(ofRow: row))/zarr.json") {
                try ExportedJSON.data(ZarrGroup.document())
            }
        }
        var acquisition: [String: Any] = ["id": 0, "name": run, "maximumfieldcount": images]
        if let written {
            acquisition["starttime"] = written.lowerBound.nanoseconds / 1_000_000
            acquisition["endtime"] = written.upperBound.nanoseconds / 1_000_000
        }
        let plate: [String: Any] = [
            "version": ZarrGroup.version, "name": run, "field_count": images, "acquisitions": [acquisition],
            "rows": rows.map { ["name": Well.letters(ofRow: $0)] },
            "columns": columns.map { ["name": "\($0)"] },
            "wells": wells.map { well in
                [
                    "path": Self.path(well), "rowIndex": rows.firstIndex(of: well.row) ?? 0,
                    "columnIndex": columns.firstIndex(of: well.column) ?? 0,
                ] as [String: Any]
            },
        ]
        let models = Set(try ledger.sessions().map(\.model)).sorted()
        let own: [String: Any] = ["frames": times.frames, "version": version, "models": models]
        try folder.add("zarr.json") {
            try ExportedJSON.data(ZarrGroup.document(ome: ["plate": plate], autoqc: own))
        }
    }

    private static func path(_ well: Well) -> String { "\(Well.letters(ofRow: well.row))/\(well.column)" }

    /// Writes a well's frames, view by view, and returns the number of images: 0 where no frame can be read.
    private func write(
        _ well: Well,
        _ times: TimeAxis,
        _ windows: inout GreyWindows,
        _ outcome: inout Outcome
    ) throws -> Int {
        var images = 0
        for view in try ledger.views(of: well, run: run) {
            let selection = FrameLedger.Selection(view: view, flaggedOnly: flaggedOnly)
            let records = try ledger.records(of: well, run: run, selection).filter { $0.judgement != nil }
            var files: [(index: Int, record: FrameRecord)] = []
            for (frame, same) in Dictionary(grouping: records, by: \.frame).sorted(by: {
                ($0.key?.index ?? 0) < ($1.key?.index ?? 0)
            }) {
                guard let frame, let first = times.plane(of: frame.index) else { continue }
                let inOrder = same.sorted { $0.source.place < $1.source.place }
                files += inOrder.enumerated().map { (first + $0.offset, $0.element) }
                if same.count > 1 { outcome.shared.append((frame, inOrder.map(\.source.path))) }
            }
            let archive = ViewArchive(
                folder: folder.folder("\(Self.path(well))/\(images)"),
                name: [well.description, view.words].filter { !$0.isEmpty }.joined(separator: ", "),
                view: view,
                masks: tree.masks(run: run),
                planes: times.frames.count
            )
            let counts = try archive.write(files, window: windows.window(of: view.channel))
            outcome.leftOut += counts.leftOut
            guard counts.frames > 0 else { continue }
            outcome.frames += counts.frames
            outcome.masks += counts.masks
            for file in files { file.record.source.identity.map { outcome.note($0.modified) } }
            images += 1
        }
        return images
    }
}

/// Which plane shows which frame: the numbers in order, each as often as files of one view have it.
struct TimeAxis {
    /// The number of the frame on each plane.
    let frames: [Int]
    private let first: [Int: Int]

    init(_ slots: [Int: Int]) {
        var (frames, first): ([Int], [Int: Int]) = ([], [:])
        for (frame, count) in slots.sorted(by: { $0.key < $1.key }) {
            first[frame] = frames.count
            frames += Array(repeating: frame, count: count)
        }
        (self.frames, self.first) = (frames, first)
    }

    /// The plane of the first file of a frame; the others stand behind it.
    func plane(of frame: Int) -> Int? { first[frame] }
}

/// The grey values that viewers show from black to white, the same in all wells of a channel: those of the first frame that passes.
struct GreyWindows {
    private let run: String
    private let ledger: FrameLedger
    private var known: [String?: ClosedRange<Double>] = [:]
    /// Shares of the pixels that are darker than black, and darker than white.
    private static let shares = [0.001, 0.999]

    init(run: String, ledger: FrameLedger) { (self.run, self.ledger) = (run, ledger) }

    /// The window of a channel; that of 8 bit where no frame can be read.
    mutating func window(of channel: String?) throws -> ClosedRange<Double> {
        if let window = known[channel] { return window }
        let window = try firstFrame(of: channel).map { frame in
            let ends = frame.pixels.quantiles(Self.shares).map { Double($0) }
            return ends[0]...max(ends[1], ends[0] + 1)
        }
        known[channel] = window ?? 0...255
        return window ?? 0...255
    }

    /// The first frame that passes, or the first of all.
    private func firstFrame(of channel: String?) throws -> Frame? {
        var flagged: Frame?
        for summary in try ledger.wells(of: run) {
            for view in try ledger.views(of: summary.well, run: run) where view.channel == channel {
                for record in try ledger.records(of: summary.well, run: run, .init(view: view)).reversed() {
                    let passes = record.judgement?.verdict == .normal
                    guard passes || flagged == nil, let frame = ViewArchive.frame(record.source) else {
                        continue
                    }
                    if passes { return frame }
                    flagged = frame
                }
            }
        }
        return flagged
    }
}
