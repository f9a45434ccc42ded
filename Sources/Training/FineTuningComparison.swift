package import Detection
import Evaluation
import Foundation
import Plate
import Tables
import Tensors
import Verdict

/// Compares a model before and after fine-tuning, on held-out frames as they are and with faults on them.
///
/// Calibration alone helps, so the earlier model is tried twice: with its own calibration, and with one on the frames that
/// were trained on. Everything is computed in float32, and is the same for the same seed.
package struct FineTuningComparison {
    private let before: Model
    private let after: Model
    private let rest: FrameSet
    private let held: FrameSet
    private let seed: UInt64
    private let report: (WorkReport) -> Void

    /// Compares two models; `rest` are the frames that were trained on, and `held` those that were held out.
    package init(
        before: Model,
        after: Model,
        rest: FrameSet,
        held: FrameSet,
        seed: UInt64,
        report: @escaping (WorkReport) -> Void = { _ in }
    ) {
        (self.before, self.after, self.rest, self.held) = (before, after, rest, held)
        (self.seed, self.report) = (seed, report)
    }

    struct Figures {
        /// Chance that a frame with a fault is above a normal one.
        let imageAUC: Double
        /// Of the pixels of all test frames.
        let pixelAUPRC: Double
        let falseAlarms: Int
        let found: Int
    }

    /// Held-out frames with faults put on: eight of each class.
    private static let faulty = 40
    /// More frames than these hardly change a calibration.
    private static let mostCalibrated = 100
    /// Maps are means over windows, so every fourth pixel of every fourth row is enough.
    private static let step = 4
    /// Smaller differences are due to chance.
    private static let margins = (image: 0.01, pixel: 0.02)

    /// The table and a sentence of advice, line by line; `names` are the files of both models.
    package func table(names: (before: String, after: String)) throws -> [String] {
        let folder = FileManager.default.temporaryDirectory.appending(path: "autoqc-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: folder) }
        let normal = (0..<held.count).map { index in
            TestFrame(isFaulty: false) { (try held.frame(index), nil) }
        }
        let rows = normal + (try faultyFrames(in: folder))
        let subset = rest.split(every: max(rest.count / Self.mostCalibrated, 1)).apart
        let old = try calibration(of: before, path: names.before, on: subset)
        let new = try calibration(of: after, path: names.after, on: subset)
        let shipped = before.description.calibration
        let olds = try figures(of: before, path: names.before, [shipped, old].compactMap(\.self), on: rows)
        let news = try figures(of: after, path: names.after, [new], on: rows)
        var lines = [
            "\(held.count) held-out frames as they are, and \(Self.faulty) with faults put on:",
            Self.line("", "image AUC", "pixel AUPRC", "false alarms", "faults found"),
        ]
        let titles =
            (shipped == nil ? [] : ["as it was"]) + [
                "as it was, calibrated here", "trained, calibrated here",
            ]
        lines += zip(titles, olds + news).map { line($0, $1, of: rows) }
        if let old = olds.last, let new = news.first { lines.append(Self.advice(old, new, names)) }
        return lines
    }

    private struct TestFrame {
        let isFaulty: Bool
        /// The frame and its mask; without one no pixel is faulty.
        let read: () throws -> (Frame, Mask?)
    }

    private func faultyFrames(in folder: URL) throws -> [TestFrame] {
        let composition = SetComposition(training: 0, normal: 0, faulty: Self.faulty, folds: 2)
        let frames = try InjectedFrames(training: rest, test: held, changes: .none)
        try frames.set(composition, seed: seed).write(to: folder.path)
        let lists = ["val", "test"].map { folder.appending(path: "splits/test_\($0)_fold0.csv").path }
        return try lists.flatMap { try FramePaths.labelled(csv: $0) }.map { row in
            TestFrame(isFaulty: true) {
                let frame = try row.readFrame()
                return (frame, try row.readMask(height: frame.height, width: frame.width))
            }
        }
    }

    private func calibration(of model: Model, path: String, on frames: FrameSet) throws -> Calibration {
        var options = Calibrator.Options()
        options.seed = seed
        options.classifier = before.description.classifier
        return try Calibrator(model: model, path: path, options: options).labelFree(
            frames,
            report: { report(.progress("comparing: \($0) \($1)/\($2)", isLast: $1 == $2)) }
        ).calibration
    }

    /// Severities and thinned maps of the test frames, by one calibration.
    private struct TestScores {
        let calibration: Calibration
        var severities: [Double] = []
        var maps: [ScoreMap] = []

        mutating func add(_ frame: Frame, map: ScoreMap) {
            severities.append(calibration.severity(of: frame, map: map))
            let means = calibration.maskMap(of: frame, map: map)
            let (rows, columns, values) = FineTuningComparison.thinned(
                means.values,
                height: means.height,
                width: means.width
            )
            maps.append(ScoreMap(height: rows, width: columns, values: values))
        }

        func figures(_ faulty: [Bool], _ masks: [Mask]) -> Figures {
            let threshold = calibration.limits.threshold.value
            let flagged = zip(severities, faulty).filter {
                Verdict(severity: $0.0, threshold: threshold) == .faulty
            }
            return Figures(
                imageAUC: ClassificationMetrics(scores: severities, faulty: faulty).rocAUC ?? 0,
                pixelAUPRC: ClassificationMetrics(maps: maps, masks: masks).averagePrecision ?? 0,
                falseAlarms: flagged.count { !$0.1 },
                found: flagged.count { $0.1 }
            )
        }
    }

    /// One pass over the frames for all calibrations of a model.
    private func figures(
        of model: Model,
        path: String,
        _ calibrations: [Calibration],
        on rows: [TestFrame]
    ) throws -> [Figures] {
        let scorer = try FrameScorer(model: model, path: path)
        var scores = calibrations.map { TestScores(calibration: $0) }
        var masks: [Mask] = []
        for part in rows.chunks(of: Compute.threads) {
            let frames = try part.map { try $0.read() }
            let maps = Compute.concurrentMap(frames.count) { scorer.map(of: frames[$0].0) }
            for ((frame, mask), map) in zip(frames, maps) {
                for index in scores.indices { scores[index].add(frame, map: map) }
                masks.append(Self.thinned(mask, height: map.height, width: map.width))
            }
            let line = "comparing: frame \(masks.count)/\(rows.count)"
            report(.progress(line, isLast: masks.count == rows.count))
        }
        return scores.map { $0.figures(rows.map(\.isFaulty), masks) }
    }

    private static func thinned(_ mask: Mask?, height: Int, width: Int) -> Mask {
        let all = mask?.values ?? [UInt8](repeating: 0, count: height * width)
        let (rows, columns, values) = thinned(all, height: height, width: width)
        return Mask(height: rows, width: columns, values: values)
    }

    /// Every n-th pixel of every n-th row.
    private static func thinned<Value>(
        _ values: [Value],
        height: Int,
        width: Int
    ) -> (rows: Int, columns: Int, values: [Value]) {
        let rows = Array(stride(from: 0, to: height, by: step))
        let columns = Array(stride(from: 0, to: width, by: step))
        return (rows.count, columns.count, rows.flatMap { row in columns.map { values[row * width + $0] } })
    }

    private func line(_ title: String, _ figures: Figures, of rows: [TestFrame]) -> String {
        let faulty = rows.count(where: \.isFaulty)
        return Self.line(
            title,
            String(format: "%.3f", figures.imageAUC),
            String(format: "%.3f", figures.pixelAUPRC),
            "\(figures.falseAlarms) of \(rows.count - faulty)",
            "\(figures.found) of \(faulty)"
        )
    }

    private static func line(_ title: String, _ cells: String...) -> String {
        let name = title + String(repeating: " ", count: max(28 - title.count, 0))
        return name + cells.map { String(repeating: " ", count: max(14 - $0.count, 1)) + $0 }.joined()
    }

    /// Advice from the figures of the earlier and the new model, both calibrated on the same frames.
    static func advice(_ old: Figures, _ new: Figures, _ names: (before: String, after: String)) -> String {
        let image = new.imageAUC - old.imageAUC
        let pixel = new.pixelAUPRC - old.pixelAUPRC
        let isBetter = image >= margins.image || pixel >= margins.pixel
        let isWorse = image <= -margins.image || pixel <= -margins.pixel
        switch (isBetter, isWorse) {
        case (true, false): return "training helped: use \(names.after)"
        case (false, true):
            return "training made it worse: keep \(names.before), and `autoqc calibrate` it on these frames"
        case (true, true):
            return "training made one better and the other worse: use \(names.after) where "
                + (image > 0 ? "verdicts count more than masks" : "masks count more than verdicts")
        case (false, false):
            return
                "training made no difference: `autoqc calibrate` on these frames does as much for \(names.before)"
        }
    }
}
