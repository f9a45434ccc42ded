package import Verdict

/// One number that the benchmark gives, and what it is of.
package struct Figure: Sendable, Equatable, Codable {
    /// What the number is of.
    package var key: Key
    /// The number; `nil` where it is not defined, for example the AUC of a list without faulty frames.
    package var value: Double?

    /// What a number is of.
    package struct Key: Sendable, Hashable, Codable {
        /// Whole frames or their pixels.
        package var level: Level
        /// Which image score decides; `nil` for pixels.
        package var score: ScoreKind?
        /// The class of fault; `nil` for all together.
        package var fault: String?
        /// Which number.
        package var name: Name

        init(_ level: Level, _ name: Name, score: ScoreKind? = nil, fault: String? = nil) {
            (self.level, self.name, self.score, self.fault) = (level, name, score, fault)
        }
    }

    /// Whole frames or their pixels.
    package enum Level: String, Sendable, Codable {
        /// One score and one label a frame.
        case image
        /// One score and one label a pixel.
        case pixel
    }

    /// Which number.
    package enum Name: String, Sendable, Codable, CaseIterable {
        /// The limit found on the fold's validation list: a score above it is faulty.
        case threshold
        /// Accuracy (images) or Dice (pixels) that the threshold has on the validation list.
        case validationFigure = "validation-figure"
        /// Share of test frames on the right side of the threshold.
        case accuracy
        /// Area under the ROC curve; by class of fault, of that class against the normal frames.
        case auc
        /// Area under the precision-recall curve, as steps.
        case auprc
        /// Share of a class's frames above the threshold.
        case detectionRate = "detection-rate"
        /// Dice of the pixels above the threshold, specks of at most 7 pixels removed, all test frames
        /// together.
        case dice
        /// The same with the specks.
        case diceUnfiltered = "dice-unfiltered"
        /// The largest Dice that any threshold has on the test list.
        case bestDice = "best-dice"
        /// Hausdorff distance in pixels, mean over the faulty frames whose mask and truth both have pixels.
        case hausdorff
        /// Share of the faulty frames for which that distance is defined.
        case hausdorffDefined = "hausdorff-defined"
    }

    init(_ key: Key, _ value: Double?) { (self.key, self.value) = (key, value) }
}
