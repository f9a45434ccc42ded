import Foundation
package import Plate
package import Verdict

/// Fits what decides on frames to measured normal frames, and to copies of them with faults put on.
///
/// Every figure that a threshold rests on is out of fold: a frame is judged by what was fitted to frames of other wells and other
/// stretches of time (`Folds`). Frames that are far out are left out first, so that no single frame sets the threshold. Copies
/// with faults adapt the classifier of tiles to this microscope, teach causes, and show which faults would be found.
package struct CalibrationFit {
    /// A measured normal frame.
    package struct Normal: Sendable {
        let figures: TileFigures
        let fold: Int

        /// `fold` counts from 0, see `Folds`.
        package init(_ figures: TileFigures, fold: Int) { (self.figures, self.fold) = (figures, fold) }
    }

    /// A measured copy of a normal frame with a fault on it.
    package struct Copy: Sendable {
        let figures: TileFigures
        let cover: [Float]
        let cause: Cause
        let form: String
        let fold: Int

        /// `cover` is the share of each tile that the fault covers, `form` names the kind of fault within the cause, and `fold` is that
        /// of the frame it is a copy of.
        package init(_ figures: TileFigures, cover: [Float], cause: Cause, form: String, fold: Int) {
            (self.figures, self.cover) = (figures, cover)
            (self.cause, self.form, self.fold) = (cause, form, fold)
        }
    }

    /// How far a normal frame is from all others.
    package struct Distance: Sendable {
        /// The frame, by its place among those given.
        package let index: Int
        /// Its severity, out of fold.
        package let severity: Double
        /// The term that adds most to it.
        package let term: SeverityTerm?

        /// Gathers the three.
        package init(index: Int, severity: Double, term: SeverityTerm?) {
            (self.index, self.severity, self.term) = (index, severity, term)
        }
    }

    /// How many faults put on copies were found, of one class.
    package struct Recall: Sendable, Equatable {
        /// The class.
        package let cause: Cause
        /// Copies with such a fault.
        package let copies: Int
        /// Those above the threshold.
        package let found: Int
        /// Those found with the right cause.
        package let named: Int
    }

    /// What was found.
    package struct Result: Sendable {
        /// What the tiles of normal frames look like, fitted to all that were kept.
        package let tiles: NormalTiles
        /// The same for each fold, fitted to all frames but those of the fold.
        package let folds: [NormalTiles]
        /// The classifier of each fold, and the one for all frames; `nil` where nothing is known of faults.
        package var classifiers: [TileClassifier?] { folds.map(\.classifier) + [tiles.classifier] }
        /// How far a frame is from normal frames.
        package let severity: Severity
        /// The severity above which a frame is faulty.
        package let threshold: ConformalThreshold
        /// How far each normal frame is from the others, out of fold, in their order.
        package let distances: [Distance]
        /// The copies that were found, as examples of their causes.
        package let causeExamples: [CauseExample]
        /// How many faults on copies were found, class by class.
        package let recall: [Recall]
    }

    /// Share of normal frames that may be called faulty.
    package var falseAlarmRate = 0.001
    /// Grey value that levels are counted from.
    package var background: Float = 100
    /// Seed of everything drawn at random.
    package var seed: UInt64 = 1
    /// What known faults look like, if anything is known.
    package var classifier: TileClassifier?

    /// How far the severities of normal frames of other microscopes usually go beyond those of most: the mean of an exponential tail.
    private static let typicalExcess = 0.6
    /// Fewer copies leave the classifier as it is.
    private static let fewestCopies = 40

    /// What the severities of normal frames of other microscopes reach at the rate of false alarms.
    private var smallestThreshold: Double {
        max(NormalSeverity.onceInThousand - Self.typicalExcess * log(falseAlarmRate / 0.001), 0)
    }

    /// The defaults.
    package init() {}

    /// Which frames are so far from all others that they say nothing about normal frames.
    ///
    /// Frames that are left out change what the others are compared with, so this is repeated until no more are found.
    package func outliers(among samples: [Normal]) -> [Distance] {
        var found: [Distance] = []
        for _ in 0..<3 {
            let kept = samples.indices.filter { index in !found.contains { $0.index == index } }
            guard kept.count > 3 else { break }
            let folds = fitted(folds: samples, using: kept)
            let evidence = samples.map { Evidence(folds[$0.fold].evidence(of: $0.figures)) }
            let severity = Severity(normal: kept.map { evidence[$0] })
            let distances = Self.distances(of: evidence, severity)
            let limit = RobustLimit.limit(kept.map { distances[$0].severity })
            let before = found.map(\.index)
            found = distances.filter { $0.severity > limit }
            if found.map(\.index) == before { break }
        }
        return found
    }

    /// Fits to the normal frames, at least one, and to the copies.
    ///
    /// `classifiers` are those of a fit to the same frames at another precision, which need not be adapted again. `report` hears how
    /// many folds are done.
    package func fitted(
        to samples: [Normal],
        copies: [Copy] = [],
        classifiers: [TileClassifier?]? = nil,
        report: (_ done: Int, _ all: Int) -> Void = { _, _ in }
    ) -> Result {
        precondition(!samples.isEmpty, "normal frames are needed to know what is normal")
        var folds = fitted(folds: samples, using: Array(samples.indices))
        var tiles = NormalTiles(fittedTo: samples.map(\.figures), background: background, seed: seed)
        for place in 0...folds.count {
            // The last one is for all frames.
            let without = place < folds.count && folds.count > 1 ? place : nil
            let classifier = classifiers?[place] ?? adapted(to: samples, copies, without: without)
            if place < folds.count {
                folds[place].classifier = classifier
            } else {
                tiles.classifier = classifier
            }
            report(place + 1, folds.count + 1)
        }
        let normal = samples.map { folds[$0.fold].evidence(of: $0.figures) }
        let scores = NormalScores(normal: normal)
        tiles.scores = scores
        for fold in folds.indices { folds[fold].scores = scores }
        let causeScales = NormalTiles.causeScales(
            normal: zip(samples, normal).map { (evidence: $1, tiles: folds[$0.fold]) }
        )
        tiles.causeScales = causeScales
        for fold in folds.indices { folds[fold].causeScales = causeScales }
        let severity = Severity(normal: normal.map { Evidence($0) })
        let distances = Self.distances(of: normal.map { Evidence($0) }, severity)
        let threshold = ConformalThreshold(
            normalValues: distances.map(\.severity),
            falseAlarmRate: falseAlarmRate,
            smallest: smallestThreshold,
            typicalExcess: Self.typicalExcess
        )
        let (examples, recall) = causes(of: copies, folds, severity, threshold: threshold.value)
        return Result(
            tiles: tiles,
            folds: folds,
            severity: severity,
            threshold: threshold,
            distances: distances,
            causeExamples: examples,
            recall: recall
        )
    }

    private static func distances(of evidence: [Evidence], _ severity: Severity) -> [Distance] {
        evidence.enumerated().map { index, evidence in
            Distance(
                index: index,
                severity: severity.total(of: evidence),
                term: severity.largestTerm(of: evidence)
            )
        }
    }

    /// What normal tiles look like to each fold: fitted to the frames of all others.
    private func fitted(folds samples: [Normal], using kept: [Int]) -> [NormalTiles] {
        let count = (samples.map(\.fold).max() ?? 0) + 1
        return (0..<count).map { fold in
            let others = kept.filter { samples[$0].fold != fold || count == 1 }
            // A single frame has no other to be compared with.
            let used = others.isEmpty ? kept : others
            var tiles = NormalTiles(
                fittedTo: used.map { samples[$0].figures },
                background: background,
                seed: seed
            )
            tiles.classifier = classifier
            return tiles
        }
    }

    /// The classifier, adapted to frames and copies but those of one fold.
    private func adapted(to samples: [Normal], _ copies: [Copy], without fold: Int?) -> TileClassifier? {
        guard copies.count >= Self.fewestCopies else { return classifier }
        var fit = TileClassifierFit(seed: seed)
        fit.add(
            samples.filter { $0.fold != fold }.map { .init($0.figures) }
                + copies.filter { $0.fold != fold && $0.cover.contains { $0 > 0 } }
                .map { .init($0.figures, cover: $0.cover) }
        )
        return fit.classifier(from: classifier) ?? classifier
    }

    /// The copies that are found, and how many: each copy judged, and its cause told, by what was fitted to other folds.
    private func causes(
        of copies: [Copy],
        _ folds: [NormalTiles],
        _ severity: Severity,
        threshold: Double
    ) -> ([CauseExample], [Recall]) {
        let found = copies.filter { copy in
            severity.total(of: Evidence(folds[copy.fold].evidence(of: copy.figures))) > threshold
        }
        func example(_ copy: Copy) -> CauseExample {
            let tiles = folds[copy.fold]
            return CauseExample(copy.cause, form: copy.form, tiles.evidence(of: copy.figures), by: tiles)
        }
        let examples = found.map { (copy: $0, example: example($0)) }
        let byFold = folds.indices.map { fold in
            CauseModel(examples.filter { $0.copy.fold != fold || folds.count == 1 }.map(\.example))
        }
        let named = examples.filter { byFold[$0.copy.fold]?.cause(of: $0.example).cause == $0.copy.cause }
        let recall = Cause.allCases.compactMap { cause -> Recall? in
            let count = copies.count { $0.cause == cause }
            guard count > 0 else { return nil }
            return Recall(
                cause: cause,
                copies: count,
                found: found.count { $0.cause == cause },
                named: named.count { $0.copy.cause == cause }
            )
        }
        return (examples.map(\.example), recall)
    }
}
