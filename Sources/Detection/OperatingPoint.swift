/// What one threshold gives: a point of the ROC and of the precision-recall curve.
package struct OperatingPoint: Sendable, Equatable, Codable {
    /// The lowest score that counts as faulty.
    package let threshold: Double
    /// Share of the normal ones that are called faulty.
    package let falseAlarmRate: Double
    /// Share of the faulty ones that are found.
    package let recall: Double
    /// Share of what is called faulty that is.
    package let precision: Double

    /// Gathers a point.
    package init(threshold: Double, falseAlarmRate: Double, recall: Double, precision: Double) {
        self.threshold = threshold
        self.falseAlarmRate = falseAlarmRate
        self.recall = recall
        self.precision = precision
    }

    /// Whether a drawing would show the two apart.
    func isApart(from other: OperatingPoint) -> Bool {
        let step = 1.0 / 256
        return abs(recall - other.recall) >= step || abs(falseAlarmRate - other.falseAlarmRate) >= step
            || abs(precision - other.precision) >= step
    }
}
