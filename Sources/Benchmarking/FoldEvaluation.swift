import Detection
import Evaluation
import Mathematics
import Plate
import Training
import Verdict

/// Finds a fold's thresholds on its validation frames and takes the figures from its test frames.
struct FoldEvaluation {
    /// A frame with its scores; the map is fetched when it is needed.
    struct Item {
        let frame: BenchmarkFrame
        let record: AssessmentRecord
        let store: AssessmentStore
    }

    let validation: [Item]
    let test: [Item]

    /// All figures; `leftOut` says what is missing and why, `assessments` what those of the test frames are stored under.
    func result(number: Int, assessments: String, leftOut: [String]) throws -> FoldResult {
        var figures = ScoreKind.allCases.flatMap { imageFigures($0) }
        let pixels = try pixelFigures()
        figures += pixels.figures
        return FoldResult(
            number: number,
            assessments: assessments,
            counts: counts,
            figures: figures,
            test: test.map { Self.scored($0) },
            pixelCurve: pixels.curve,
            secondsPerFrame: (validation + test).map(\.record.seconds).median,
            leftOut: leftOut
        )
    }

    private var counts: FoldResult.Counts {
        FoldResult.Counts(
            validationNormal: validation.count { !$0.frame.isFaulty },
            validationFaulty: validation.count { $0.frame.isFaulty },
            testNormal: test.count { !$0.frame.isFaulty },
            testFaulty: test.count { $0.frame.isFaulty },
            testWithTruth: test.count { $0.frame.hasTruth }
        )
    }

    private var faults: [String] {
        Set(test.filter(\.frame.isFaulty).compactMap(\.frame.labelled.fault)).sorted()
    }

    private func imageFigures(_ kind: ScoreKind) -> [Figure] {
        let score = { (item: Item) in item.record.score(kind) }
        let greedy = GreedyThreshold.accuracy(
            scores: validation.map(score),
            faulty: validation.map(\.frame.isFaulty)
        )
        let (scores, faulty) = (test.map(score), test.map(\.frame.isFaulty))
        let metrics = ClassificationMetrics(scores: scores, faulty: faulty)
        let accuracy =
            test.isEmpty
            ? nil
            : ClassificationMetrics.accuracy(scores: scores, faulty: faulty, threshold: greedy.threshold)
        let all: [(Figure.Name, Double?)] = [
            (.threshold, greedy.threshold), (.validationFigure, greedy.figure), (.accuracy, accuracy),
            (.auc, metrics.rocAUC), (.auprc, metrics.averagePrecision),
        ]
        return all.map { Figure(.init(.image, $0.0, score: kind), $0.1) }
            + faults.flatMap { fault in
                let ofClass = test.filter { $0.frame.labelled.fault == fault && $0.frame.isFaulty }
                let against = ofClass + test.filter { !$0.frame.isFaulty }
                let area = ClassificationMetrics(
                    scores: against.map(score),
                    faulty: against.map(\.frame.isFaulty)
                ).rocAUC
                let found = ofClass.count { score($0) > greedy.threshold }
                return [
                    Figure(.init(.image, .auc, score: kind, fault: fault), area),
                    Figure(
                        .init(.image, .detectionRate, score: kind, fault: fault),
                        Double(found) / Double(ofClass.count)
                    ),
                ]
            }
    }

    /// Figures of the pixels of frames with a truth; all undefined for a method without maps.
    private func pixelFigures() throws -> (figures: [Figure], curve: [OperatingPoint]) {
        let (known, seen) = (validation.filter { $0.usesPixels }, test.filter { $0.usesPixels })
        guard known.contains(where: \.frame.isFaulty), !seen.isEmpty else { return ([], []) }
        let greedy = try withPixels(of: known) { GreedyThreshold.dice(maps: $0, masks: $1) }
        return try withPixels(of: seen) { maps, masks in
            let pool = PixelPool(items: seen, maps: maps, masks: masks, threshold: greedy.threshold)
            let metrics = ClassificationMetrics(maps: maps, masks: masks)
            let all: [(Figure.Name, Double?)] = [
                (.threshold, greedy.threshold), (.validationFigure, greedy.figure),
                (.auc, metrics.rocAUC), (.auprc, metrics.averagePrecision),
                (.bestDice, metrics.averagePrecision == nil ? nil : metrics.bestDice),
                (.diceUnfiltered, pool.unfilteredDice),
            ]
            var figures = pool.frameFigures(fault: nil)
            figures += all.map { Figure(.init(.pixel, $0.0), $0.1) }
            figures += pool.maskFigures(fault: nil)
            for fault in faults { figures += pool.figures(fault: fault) }
            return (figures, metrics.curve)
        }
    }

    private func withPixels<Result>(
        of items: [Item],
        _ body: ([ScoreMap], [Mask]) throws -> Result
    ) throws -> Result {
        try body(items.map { try $0.store.map(of: $0.frame) }, items.map { try $0.frame.truth() })
    }

    private static func scored(_ item: Item) -> FoldResult.ScoredFrame {
        FoldResult.ScoredFrame(
            image: item.frame.labelled.image,
            isFaulty: item.frame.isFaulty,
            fault: item.frame.labelled.fault,
            maximum: item.record.maximum,
            mean: item.record.mean,
            patch: item.record.patch
        )
    }
}

extension FoldEvaluation.Item {
    /// Whether there are both a map and a truth to compare it with.
    fileprivate var usesPixels: Bool { frame.hasTruth && record.hasMap }
}

/// The maps of a fold's test frames with their truth and the masks that the threshold gives.
private struct PixelPool {
    private let faults: [String?]
    private let isFaulty: [Bool]
    private let maps: [ScoreMap]
    private let truths: [Mask]
    private let masks: [Mask]
    /// The published figures of each faulty frame alone.
    private let ofFrames: [FrameFigures?]
    /// Dice of all pixels above the threshold.
    let unfilteredDice: Double?

    init(items: [FoldEvaluation.Item], maps: [ScoreMap], masks: [Mask], threshold: Double) {
        faults = items.map { $0.frame.isFaulty ? $0.frame.labelled.fault : nil }
        isFaulty = items.map(\.frame.isFaulty)
        self.maps = maps
        truths = masks
        let filter = ComponentFilter()
        let found = maps.map { filter.mask(of: $0, above: threshold) }
        self.masks = found
        ofFrames = items.indices.map { index in
            guard items[index].frame.isFaulty else { return nil }
            return FrameFigures(map: maps[index], mask: found[index], truth: masks[index])
        }
        unfilteredDice =
            items.contains(where: \.frame.isFaulty)
            ? ClassificationMetrics.dice(maps: maps, masks: masks, threshold: threshold) : nil
    }

    /// Figures of the frames of one class of fault alone.
    func figures(fault: String) -> [Figure] {
        let chosen = indices(fault: fault)
        guard !chosen.isEmpty else { return [] }
        let metrics = ClassificationMetrics(maps: chosen.map { maps[$0] }, masks: chosen.map { truths[$0] })
        return frameFigures(fault: fault)
            + [Figure(.init(.pixel, .auprc, fault: fault), metrics.averagePrecision)]
            + maskFigures(fault: fault)
    }

    /// Means over the faulty frames, or those of one class, of the figures of each frame alone.
    func frameFigures(fault: String?) -> [Figure] {
        let chosen = indices(fault: fault).compactMap { ofFrames[$0] }
        let all: [(Figure.Name, (FrameFigures) -> Double?)] = [
            (.auprc, \.averagePrecision), (.auc, \.rocAUC), (.dice, \.dice), (.bestDice, \.bestDice),
            (.hausdorff, \.hausdorff),
        ]
        let means = all.map { name, figure in
            Figure(.init(.frame, name, fault: fault), Self.mean(chosen.compactMap(figure)))
        }
        let share = chosen.isEmpty ? nil : Double(chosen.count { $0.hausdorff != nil }) / Double(chosen.count)
        return means + [Figure(.init(.frame, .hausdorffDefined, fault: fault), share)]
    }

    private static func mean(_ values: [Double]) -> Double? {
        values.isEmpty ? nil : values.reduce(0, +) / Double(values.count)
    }

    /// Figures of masks, of all frames or of those of one class of fault.
    func maskFigures(fault: String?) -> [Figure] {
        let chosen = indices(fault: fault)
        var (both, sum) = (0, 0)
        for index in chosen {
            for (found, truth) in zip(masks[index].values, truths[index].values) {
                both += Int(found & truth)
                sum += Int(found + truth)
            }
        }
        let faulty = chosen.filter { isFaulty[$0] }
        let distances = faulty.compactMap {
            HausdorffDistance.between(masks[$0], truths[$0], of: .outline)
        }
        let mean = Self.mean(distances)
        let defined = faulty.isEmpty ? nil : Double(distances.count) / Double(faulty.count)
        let dice = faulty.isEmpty ? nil : 2 * Double(both) / Double(sum)
        let all: [(Figure.Name, Double?)] = [(.dice, dice), (.hausdorff, mean), (.hausdorffDefined, defined)]
        return all.map { Figure(.init(.pixel, $0.0, fault: fault), $0.1) }
    }

    private func indices(fault: String?) -> [Int] {
        faults.indices.filter { fault == nil || faults[$0] == fault }
    }
}
