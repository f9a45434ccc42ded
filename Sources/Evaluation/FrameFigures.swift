package import Plate

/// The published pixel figures of one faulty frame alone; a test set's are the means over its faulty frames.
package struct FrameFigures: Sendable, Equatable {
    /// Area under the precision-recall curve of the frame's pixels; `nil` where its truth is empty.
    package let averagePrecision: Double?
    /// Area under the ROC curve; `nil` where its truth is empty or the whole frame.
    package let rocAUC: Double?
    /// Dice of the mask with the truth; 0 where both are empty.
    package let dice: Double
    /// Dice at the threshold that the published greedy search finds for this frame alone.
    package let bestDice: Double
    /// Hausdorff distance between the whole masks, in pixels; `nil` where one is empty.
    package let hausdorff: Double?

    /// Figures of a frame's map and of the mask that was made of it, beside its true mask.
    package init(map: ScoreMap, mask: Mask, truth: Mask) {
        let metrics = ClassificationMetrics(maps: [map], masks: [truth])
        (averagePrecision, rocAUC) = (metrics.averagePrecision, metrics.rocAUC)
        var (both, sum) = (0, 0)
        for (found, known) in zip(mask.values, truth.values) {
            both += Int(found & known)
            sum += Int(found + known)
        }
        dice = sum > 0 ? 2 * Double(both) / Double(sum) : 0
        bestDice = GreedyThreshold.dice(maps: [map], masks: [truth]).figure
        hausdorff = HausdorffDistance.between(mask, truth, of: .whole)
    }
}
