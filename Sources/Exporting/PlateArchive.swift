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
/// DIR/B/1/0/0                            frames of the well's first view, time x height x width; DIR/B/1/1/0 of its second
/// DIR/B/1/0/labels/faults/0              regions of the masks, numbered, on the same axes
/// ```
/// Each view of a well (field, channel, plane) is an image of its own. All share one axis of time, the frame numbers of the run
/// in order. Files that say the same frame stand one after another, in the order of their paths, so a number can stand there
/// more than once. Where a well has no frame, or its file is gone, the plane is black. Which frame a plane is stands in the plate's attributes under `autoqc`; its file, severity and verdict in the image's. One
/// resolution: a frame is no larger than a screen. Written from the frames' own files, which have to be there still.
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
        var most = 1
        let times = try TimeAxis(slots())
        for summary in try ledger.wells(of: run) where !flaggedOnly || summary.flagged > 0 {
            let images = try write(summary.well, times, &outcome)
            guard images > 0 else { continue }
            written.append(summary.well)
            most = max(most, images)
            outcome.wells += 1
            report(summary.well, outcome)
        }
        try writePlate(written, times, images: most)
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

    private func writePlate(_ wells: [Well], _ times: TimeAxis, images: Int) throws {
        let rows = Set(wells.map(\.row)).sorted()
        let columns = Set(wells.map(\.column)).sorted()
        for row in rows { try ZarrGroup.make(root.appending(path: Self.letters(row))) }
        let plate: [String: Any] = [
            "name": run, "field_count": images,
            "acquisitions": [["id": 0, "name": run, "maximumfieldcount": images] as [String: Any]],
            "rows": rows.map { ["name": Self.letters($0)] }, "columns": columns.map { ["name": "\($0)"] },
            "wells": wells.map { well in
                [
                    "path": Self.path(well), "rowIndex": rows.firstIndex(of: well.row) ?? 0,
                    "columnIndex": columns.firstIndex(of: well.column) ?? 0,
                ] as [String: Any]
            },
        ]
        try ZarrGroup.make(root, ome: ["plate": plate], autoqc: ["frames": times.frames])
    }

    private static func letters(_ row: Int) -> String {
        Well(row: row, column: 1).map { String($0.description.dropLast(2)) } ?? "\(row)"
    }

    private static func path(_ well: Well) -> String { "\(letters(well.row))/\(well.column)" }

    /// A well's frames, view by view; returns how many images there are: none where no frame can be read.
    private func write(_ well: Well, _ times: TimeAxis, _ outcome: inout Outcome) throws -> Int {
        let folder = root.appending(path: Self.path(well))
        var images: [[String: Any]] = []
        for view in try ledger.views(of: well, run: run) {
            let selection = FrameLedger.Selection(view: view, flaggedOnly: flaggedOnly)
            let records = try ledger.records(of: well, run: run, selection).filter { $0.judgement != nil }
            let place = folder.appending(path: "\(images.count)")
            var writer = ViewArchive(folder: place, tree: tree, run: run, view: view, times: times)
            for (frame, files) in Dictionary(grouping: records, by: \.frame).sorted(by: {
                ($0.key?.index ?? 0) < ($1.key?.index ?? 0)
            }) {
                guard let frame else { continue }
                let inOrder = files.sorted { $0.source.place < $1.source.place }
                writer.survey(inOrder, at: frame.index)
                if files.count > 1 {
                    outcome.shared.append((frame, inOrder.map(\.source.path)))
                }
            }
            outcome.leftOut += writer.leftOut
            guard !writer.isEmpty else { continue }
            outcome.frames += writer.frames
            let name = [well.description, view.words].filter { !$0.isEmpty }.joined(separator: ", ")
            outcome.masks += try writer.write(named: name)
            images.append(["path": "\(images.count)", "acquisition": 0])
        }
        guard !images.isEmpty else { return 0 }
        try ZarrGroup.make(folder, ome: ["well": ["images": images]])
        return images.count
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

/// The frames and masks of one view of a well on their way into an OME-Zarr image.
struct ViewArchive {
    /// A frame that can be read, and what is said of it.
    private struct Plane {
        let record: FrameRecord
        let index: Int
        let mask: String?
    }

    private let folder: URL
    private let tree: OutputTree
    private let run: String
    private let view: FrameView
    private let times: TimeAxis
    private var planes: [Plane] = []
    private var kind = ZarrArray.Kind.uint8
    private var size: (height: Int, width: Int)?
    private var pixelSize: PixelSize?
    private var timeInterval: Double?
    private(set) var leftOut = 0

    init(folder: URL, tree: OutputTree, run: String, view: FrameView, times: TimeAxis) {
        self.times = times
        self.view = view
        self.folder = folder
        self.tree = tree
        self.run = run
    }

    var isEmpty: Bool { planes.isEmpty }
    var frames: Int { planes.count }

    /// Looks at the files of a frame before anything is written: an array has one size and one kind of pixel.
    mutating func survey(_ files: [FrameRecord], at frame: Int) {
        guard let first = times.plane(of: frame) else { return }
        for (number, record) in files.enumerated() { survey(record, index: first + number) }
    }

    private mutating func survey(_ record: FrameRecord, index: Int) {
        guard let judgement = record.judgement else { return }
        guard let frame = read(record.source), size.map({ $0 == (frame.height, frame.width) }) ?? true else {
            leftOut += 1
            return
        }
        size = (frame.height, frame.width)
        kind = max(kind, .holding(frame.pixels))
        let mask = judgement.maskPath.flatMap(Sidecars.name(ofMask:)).map {
            "\(tree.masks(run: run))/\($0).mask.tiff"
        }
        planes.append(Plane(record: record, index: index, mask: mask))
    }

    private mutating func read(_ source: FrameSource) -> Frame? {
        guard let reader = try? TIFFReader(path: source.absolutePath), source.page < reader.pageCount else {
            return nil
        }
        pixelSize = pixelSize ?? reader.pixelSize
        timeInterval = timeInterval ?? reader.timeInterval
        return try? reader.frame(page: source.page)
    }

    /// Writes the frames and the masks, and says how many masks there were.
    func write(named name: String) throws -> Int {
        guard let size else { return 0 }
        let array = try ZarrArray(folder, kind: kind, planes: times.frames.count, size)
        for plane in planes {
            let source = plane.record.source
            let reader = try TIFFReader(path: source.absolutePath)
            try array.write(reader.frame(page: source.page).pixels, plane: plane.index)
        }
        try ZarrGroup.make(
            folder,
            ome: ["multiscales": [multiscale(name)]],
            autoqc: viewFields.merging(["planes": planes.map(description)]) { $1 }
        )
        return try writeLabels(size)
    }

    private var viewFields: [String: Any] {
        var fields: [String: Any] = [:]
        fields["field"] = view.field
        fields["channel"] = view.channel
        fields["plane"] = view.plane
        return fields
    }

    private func writeLabels(_ size: (height: Int, width: Int)) throws -> Int {
        let labels = folder.appending(path: "labels")
        let faults = labels.appending(path: "faults")
        let array = try ZarrArray(faults, kind: .uint16, planes: times.frames.count, size)
        var masks = 0
        var regions = 0
        for plane in planes {
            guard let path = plane.mask, let mask = try? TIFFReader(path: path).frame(page: 0),
                (mask.height, mask.width) == size
            else { continue }
            let image = LabelImage(Mask(mask))
            try array.write(image.frame.pixels, plane: plane.index)
            masks += 1
            regions = max(regions, image.sizes.count)
        }
        try ZarrGroup.make(labels, ome: ["labels": ["faults"]])
        try ZarrGroup.make(faults, ome: labelMetadata(regions: regions))
        return masks
    }

    private func labelMetadata(regions: Int) -> [String: Any] {
        var label: [String: Any] = ["source": ["image": "../../"]]
        let colours = (1..<max(2, min(regions, 256) + 1)).map { number -> [String: Any] in
            ["label-value": number, "rgba": [213, 94, 0, 255]]
        }
        label["colors"] = colours
        return ["multiscales": [multiscale("faults")], "image-label": label]
    }

    private func multiscale(_ name: String) -> [String: Any] {
        var axes: [[String: Any]] = [
            ["name": "t", "type": "time"], ["name": "y", "type": "space"], ["name": "x", "type": "space"],
        ]
        if timeInterval != nil { axes[0]["unit"] = "second" }
        if pixelSize != nil {
            axes[1]["unit"] = "micrometer"
            axes[2]["unit"] = "micrometer"
        }
        let scale = [timeInterval ?? 1, pixelSize?.y ?? 1, pixelSize?.x ?? 1]
        let transformation: [String: Any] = ["type": "scale", "scale": scale]
        let dataset: [String: Any] = ["path": "0", "coordinateTransformations": [transformation]]
        return ["name": name, "axes": axes, "datasets": [dataset]]
    }

    private func description(_ plane: Plane) -> [String: Any] {
        var fields: [String: Any] = [
            "plane": plane.index, "file": plane.record.source.path, "page": plane.record.source.page,
        ]
        fields["frame"] = plane.record.frame?.index
        guard let judgement = plane.record.judgement else { return fields }
        fields["verdict"] = judgement.verdict.rawValue
        if judgement.severity.isFinite { fields["severity"] = judgement.severity }
        if judgement.threshold.isFinite { fields["threshold"] = judgement.threshold }
        fields["cause"] = judgement.causeName
        fields["confidence"] = judgement.confidence
        fields["term"] = judgement.term
        return fields
    }
}
