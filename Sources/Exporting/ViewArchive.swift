import Foundation
import Frames
import Plate
import Reporting
import Tensors

/// The frames and masks of one view of a well as an OME-Zarr image.
struct ViewArchive {
    /// Numbers of frames, of masks, and of frames left out.
    struct Counts {
        var frames = 0
        var masks = 0
        var leftOut = 0
    }

    /// A frame that can be read.
    private struct Plane: Sendable {
        let index: Int
        let record: FrameRecord
        let mask: String?
    }

    /// What all frames have in common.
    private struct Shape {
        var size: (height: Int, width: Int)?
        var kind = ZarrArray.Kind.uint8
        var pixelSize: PixelSize?
        var timeInterval: Double?
    }

    /// The chunks of a plane at each size, and those of its label; `nil` for planes of 0.
    private struct Chunks: Sendable {
        let frame: [[UInt8]?]
        let label: [[UInt8]?]?
    }

    private let folder: ExportFolder
    private let name: String
    private let view: FrameView
    private let masks: String
    private let planes: Int
    /// Pixels of the planes that are made at once, before they are written.
    private static let batchPixels = 16 << 20
    private static let labels = "labels/faults"

    /// Names an image: its folder, the folder of the run's masks, and how many planes it has.
    init(folder: ExportFolder, name: String, view: FrameView, masks: String, planes: Int) {
        (self.folder, self.name, self.view) = (folder, name, view)
        (self.masks, self.planes) = (masks, planes)
    }

    /// Writes the image with its labels, and its own document last; one that is whole stays as it is.
    func write(_ files: [(index: Int, record: FrameRecord)], window: ClosedRange<Double>) throws -> Counts {
        if let counts = try written() { return counts }
        var (shape, counts) = (Shape(), Counts())
        let found = files.filter { survey($0.record.source, &shape) }
        counts.leftOut = files.count - found.count
        guard let size = shape.size else { return counts }
        let planes = found.map { file in
            let mask = file.record.judgement?.maskPath.flatMap(Sidecars.name(ofMask:))
            return Plane(
                index: file.index,
                record: file.record,
                mask: mask.map { "\(masks)/\($0).mask.tiff" }
            )
        }
        let (read, labelled) = try writeArrays(planes, size: size, shape.kind)
        counts.leftOut += planes.count - read.count
        (counts.frames, counts.masks) = (read.count, labelled.count)
        guard counts.frames > 0 else { return counts }
        try writeLabelDocuments(labelled, shape)
        try folder.add("zarr.json") { try document(read, shape, counts, window) }
        return counts
    }

    /// The counts of an image that an earlier start has written whole.
    private func written() throws -> Counts? {
        guard folder.has("zarr.json") else { return nil }
        let data = try Data(contentsOf: URL(filePath: "\(folder.path)/zarr.json"))
        let document = try JSONSerialization.jsonObject(with: data) as? [String: Any]
        let attributes = document?["attributes"] as? [String: Any]
        let counts = (attributes?["autoqc"] as? [String: Any])?["counts"] as? [String: Int]
        return Counts(
            frames: counts?["frames"] ?? 0,
            masks: counts?["masks"] ?? 0,
            leftOut: counts?["left_out"] ?? 0
        )
    }

    /// Looks at a file before anything is written: an array has one size and one kind of pixel.
    private func survey(_ source: FrameSource, _ shape: inout Shape) -> Bool {
        guard let reader = Self.reader(source), let page = try? reader.shape(page: source.page),
            shape.size.map({ $0 == (page.height, page.width) }) ?? true
        else { return false }
        shape.size = (page.height, page.width)
        shape.kind = max(shape.kind, ZarrArray.Kind(page.type))
        shape.pixelSize = shape.pixelSize ?? reader.pixelSize
        shape.timeInterval = shape.timeInterval ?? reader.timeInterval
        return true
    }

    private static func reader(_ source: FrameSource) -> TIFFReader? {
        guard let reader = try? TIFFReader(path: source.absolutePath), source.page < reader.pageCount else {
            return nil
        }
        return reader
    }

    /// The frame of a source; `nil` where it cannot be read any more.
    static func frame(_ source: FrameSource) -> Frame? { try? reader(source)?.frame(page: source.page) }

    /// Writes the planes at each size; returns those that could be read, and those with a mask.
    private func writeArrays(
        _ planes: [Plane],
        size: (height: Int, width: Int),
        _ kind: ZarrArray.Kind
    ) throws -> (read: [Plane], labelled: [Plane]) {
        let sizes = PlanePyramid.sizes(size)
        func arrays(_ place: String, _ kind: ZarrArray.Kind) throws -> [ZarrArray] {
            try sizes.enumerated().map {
                try ZarrArray(
                    folder.folder("\(place)\($0.offset)"),
                    kind: kind,
                    planes: self.planes,
                    $0.element
                )
            }
        }
        let frames = try arrays("", kind)
        let labels = try arrays("\(Self.labels)/", .uint32)
        var (read, labelled): ([Plane], [Plane]) = ([], [])
        let count = max(1, Self.batchPixels / (size.height * size.width))
        for start in stride(from: 0, to: planes.count, by: count) {
            let batch = planes[start..<min(start + count, planes.count)]
            let made = Compute.concurrentMap(batch.count) { Self.chunks(batch[start + $0], size, kind) }
            for (plane, chunks) in zip(batch, made) {
                guard let chunks else { continue }
                read.append(plane)
                for (array, chunk) in zip(frames, chunks.frame) { try array.add(chunk, plane: plane.index) }
                guard let label = chunks.label else { continue }
                labelled.append(plane)
                for (array, chunk) in zip(labels, label) { try array.add(chunk, plane: plane.index) }
            }
        }
        for array in frames + labels { try array.finish() }
        return (read, labelled)
    }

    private static func chunks(
        _ plane: Plane,
        _ size: (height: Int, width: Int),
        _ kind: ZarrArray.Kind
    ) -> Chunks? {
        guard let frame = frame(plane.record.source), (frame.height, frame.width) == size else { return nil }
        return Chunks(
            frame: PlanePyramid.planes(frame, .mean).map { kind.chunk($0.pixels) },
            label: label(plane, size).map { PlanePyramid.planes($0, .largest) }?.map {
                ZarrArray.Kind.uint32.chunk($0.pixels)
            }
        )
    }

    /// The mask of a plane with its number as value.
    private static func label(_ plane: Plane, _ size: (height: Int, width: Int)) -> Frame? {
        guard let path = plane.mask, let mask = try? TIFFReader(path: path).frame(page: 0),
            (mask.height, mask.width) == size
        else { return nil }
        let number = Float(plane.index + 1)
        return Frame(height: mask.height, width: mask.width, pixels: mask.pixels.map { $0 > 0 ? number : 0 })
    }

    // MARK: - Documents

    private func document(
        _ planes: [Plane],
        _ shape: Shape,
        _ counts: Counts,
        _ window: ClosedRange<Double>
    ) throws -> Data {
        var own: [String: Any] = [
            "planes": planes.map(description),
            "counts": ["frames": counts.frames, "masks": counts.masks, "left_out": counts.leftOut],
        ]
        own["field"] = view.field
        own["channel"] = view.channel
        own["plane"] = view.plane
        let range: [String: Any] =
            switch shape.kind {
            case .uint8: ["min": 0, "max": 255]
            case .uint16, .uint32: ["min": 0, "max": 65_535]
            case .float32: ["min": window.lowerBound, "max": window.upperBound]
            }
        let channel: [String: Any] = [
            "label": view.channel ?? "grey", "color": "FFFFFF", "active": true,
            "window": range.merging(["start": window.lowerBound, "end": window.upperBound]) { $1 },
        ]
        let ome: [String: Any] = [
            "multiscales": [multiscale(name, shape, method: "mean")],
            "omero": ["channels": [channel], "rdefs": ["defaultT": 0, "model": "greyscale"]],
        ]
        return try ExportedJSON.data(ZarrGroup.document(ome: ome, autoqc: own))
    }

    private func writeLabelDocuments(_ planes: [Plane], _ shape: Shape) throws {
        try folder.add("labels/zarr.json") {
            try ExportedJSON.data(ZarrGroup.document(ome: ["labels": ["faults"]]))
        }
        var label: [String: Any] = ["source": ["image": "../../"]]
        if !planes.isEmpty {
            label["colors"] = planes.map { plane -> [String: Any] in
                let cause = plane.record.judgement?.cause.cause ?? .unknown
                return ["label-value": plane.index + 1, "rgba": cause.colour + [255]]
            }
            label["properties"] = planes.map { plane -> [String: Any] in
                description(plane).filter { !["file", "page", "plane"].contains($0.key) }
                    .merging(["label-value": plane.index + 1]) { $1 }
            }
        }
        try folder.add("\(Self.labels)/zarr.json") {
            let scales = multiscale("faults", shape, method: "largest")
            return try ExportedJSON.data(
                ZarrGroup.document(ome: ["multiscales": [scales], "image-label": label])
            )
        }
    }

    private func multiscale(_ name: String, _ shape: Shape, method: String) -> [String: Any] {
        var axes: [[String: Any]] = [
            ["name": "t", "type": "time"], ["name": "y", "type": "space"], ["name": "x", "type": "space"],
        ]
        if shape.timeInterval != nil { axes[0]["unit"] = "second" }
        if shape.pixelSize != nil {
            axes[1]["unit"] = "micrometer"
            axes[2]["unit"] = "micrometer"
        }
        let pixel = (y: shape.pixelSize?.y ?? 1, x: shape.pixelSize?.x ?? 1)
        let count = shape.size.map { PlanePyramid.sizes($0).count } ?? 1
        let datasets = (0..<count).map { level -> [String: Any] in
            let factor = Double(1 << level)
            let scale: [String: Any] = [
                "type": "scale",
                "scale": [shape.timeInterval ?? 1, pixel.y * factor, pixel.x * factor],
            ]
            // The centre of a smaller plane's first pixel lies between those of the pixels that it stands for.
            let shift = (factor - 1) / 2
            let translation: [String: Any] = [
                "type": "translation", "translation": [0, pixel.y * shift, pixel.x * shift],
            ]
            return [
                "path": "\(level)",
                "coordinateTransformations": level == 0 ? [scale] : [scale, translation],
            ]
        }
        return ["name": name, "axes": axes, "datasets": datasets, "type": method]
    }

    private func description(_ plane: Plane) -> [String: Any] {
        let source = plane.record.source
        var fields: [String: Any] = ["plane": plane.index, "file": source.path, "page": source.page]
        fields["frame"] = plane.record.frame?.index
        fields["written"] = source.identity?.modified.iso8601
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
