import Charts
import Detection
import Foundation
import Frames
import Plate
import Tables
import Training
import Verdict

/// A frame with a fault as every method sees it: input, reconstruction, score map, mask and truth, one row a
/// method.
struct QualitativePanel {
    private struct Row {
        let method: String
        let input: PNGImage?
        let reconstruction: PNGImage?
        let map: PNGImage
        let limit: Float
        let mask: PNGImage
        let threshold: Double
    }

    private static let columns = ["input", "reconstruction", "score map", "mask", "truth"]
    private static let gap = 12.0
    /// Width of a letter of a method's name.
    private static let letter = 8.6
    private static let top = 92.0

    private let fault: String
    private let frame: BenchmarkFrame
    private let rows: [Row]
    private let raw: PNGImage
    private let truth: PNGImage
    private let withoutMap: [String]

    /// Gathers the images from what is kept; `nil` if no method has a map of the frame there.
    init?(
        fault: String,
        example: PanelExamples.Example,
        results: BenchmarkResults,
        output: OutputFolder
    ) throws {
        let frame = example.frame
        var rows: [Row] = []
        var withoutMap: [String] = []
        for method in results.methods {
            if let row = try Self.row(of: method, example: example, output: output) {
                rows.append(row)
            } else {
                withoutMap.append(method.name)
            }
        }
        guard !rows.isEmpty else { return nil }
        let pixels = try frame.labelled.readFrame()
        (self.fault, self.frame, self.rows, self.withoutMap) = (fault, frame, rows, withoutMap)
        raw = PanelImage.grey(pixels, range: Self.range(pixels))
        truth = Self.image(try frame.truth())
    }

    private static func row(
        of method: MethodResult,
        example: PanelExamples.Example,
        output: OutputFolder
    ) throws -> Row? {
        let frame = example.frame
        guard let fold = method.folds.first(where: { $0.number == example.fold }) else { return nil }
        let store = try AssessmentStore(
            folder: output.cache(method: method.name, fingerprint: fold.assessments)
        )
        let figures = fold.figures
        guard let record = store.record(of: frame), record.hasMap,
            let threshold = figures.first(where: { $0.key == .init(.pixel, .threshold) })?.value
        else { return nil }
        let map = try store.map(of: frame)
        let images = store.images(of: frame)
        // Both on the input's own scale: what the method takes away or adds is then seen as it is.
        let range = images.input.map { Self.range($0) } ?? 0...1
        let limit = map.values.reduce(0) { max($0, $1) }
        return Row(
            method: method.name,
            input: images.input.map { PanelImage.grey($0, range: range) },
            reconstruction: images.reconstruction.map { PanelImage.grey($0, range: range) },
            map: PanelImage.coloured(map, limit: limit),
            limit: limit,
            mask: image(ComponentFilter().mask(of: map, above: threshold)),
            threshold: threshold
        )
    }

    private static func range(_ frame: Frame) -> ClosedRange<Float> {
        let low = frame.pixels.reduce(.infinity) { min($0, $1) }
        return low...frame.pixels.reduce(low) { max($0, $1) }
    }

    private static func image(_ mask: Mask) -> PNGImage {
        let pixels = mask.values.map { Float($0) }
        return PanelImage.grey(Frame(height: mask.height, width: mask.width, pixels: pixels), range: 0...1)
    }

    /// Room for the longest name.
    private var left: Double {
        max(130, 2 * Self.gap + Self.letter * Double(rows.map(\.method.count).max() ?? 0))
    }

    var svg: String {
        get throws {
            // Titles need some room above the smallest frames.
            let step = (x: max(Double(raw.width), 120) + Self.gap, y: Double(raw.height) + 2 * Self.gap + 20)
            var drawing = Drawing(
                width: Int(left + step.x * Double(Self.columns.count)),
                height: Int(Self.top + step.y * Double(rows.count)) + 44
            )
            let name = URL(filePath: frame.labelled.image).lastPathComponent
            drawing.text("\(fault): \(name)", x: Self.gap, y: 30, size: 18, isBold: true)
            for (index, title) in Self.columns.enumerated() {
                let x = left + step.x * Double(index) + Double(raw.width) / 2
                drawing.text(title, x: x, y: Self.top - 14, size: 15, anchor: .middle)
            }
            for (index, row) in rows.enumerated() {
                try draw(row, on: &drawing, y: Self.top + step.y * Double(index), step: step.x)
            }
            if !withoutMap.isEmpty {
                let names = withoutMap.joined(separator: ", ")
                let y = Self.top + step.y * Double(rows.count) + 18
                drawing.text("without a map of this frame: \(names)", x: Self.gap, y: y, size: 13)
            }
            return drawing.svg
        }
    }

    private func draw(_ row: Row, on drawing: inout Drawing, y: Double, step: Double) throws {
        let images = [row.input ?? raw, row.reconstruction, row.map, row.mask, truth]
        for (index, image) in images.enumerated() {
            let x = left + step * Double(index)
            if let image {
                // A rim, for a mask that is white everywhere is not seen on white paper.
                let (width, height) = (Double(image.width) + 2, Double(image.height) + 2)
                drawing.rectangle(x: x - 1, y: y - 1, width: width, height: height, fill: "#888888")
                try draw(image, on: &drawing, x: x, y: y)
            } else {
                drawing.text("none", x: x + step / 2, y: y + Double(raw.height) / 2, anchor: .middle)
            }
        }
        drawing.text(row.method, x: Self.gap, y: y + Double(raw.height) / 2, size: 15)
        let below = y + Double(raw.height) + 16
        let x = left + 2 * step
        drawing.text("0", x: x, y: below + 2, size: 12)
        let scale = PanelImage.scale(width: max(raw.width - 80, 8), height: 10)
        try draw(scale, on: &drawing, x: x + 14, y: below - 8)
        drawing.text(Double(row.limit).digits(3), x: x + 20 + Double(scale.width), y: below + 2, size: 12)
        drawing.text("above \(row.threshold.digits(4))", x: x + step, y: below + 2, size: 12)
    }

    private func draw(_ image: PNGImage, on drawing: inout Drawing, x: Double, y: Double) throws(PNGError) {
        drawing.image(png: try image.encoded(), x: x, y: y, width: image.width, height: image.height)
    }
}

/// The frame that stands for each class of fault in the pictures: the first one of the tests with a truth.
struct PanelExamples {
    /// A frame and the fold whose threshold its masks are taken at.
    struct Example {
        let frame: BenchmarkFrame
        let fold: Int
    }

    /// Class of fault and example, by class; frames without a class are of the class `faulty`.
    let all: [(fault: String, example: Example)]

    init(folds: [SurveyedFold]) {
        var chosen: [String: Example] = [:]
        for fold in folds {
            for frame in fold.test where frame.isFaulty && frame.hasTruth {
                let fault = frame.labelled.fault ?? "faulty"
                if chosen[fault] == nil { chosen[fault] = Example(frame: frame, fold: fold.number) }
            }
        }
        all = chosen.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
    }

    func contain(_ frame: BenchmarkFrame) -> Bool {
        all.contains { $0.example.frame.digest == frame.digest }
    }
}
