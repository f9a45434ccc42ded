/// What a script asks of a checked run.
package struct CheckLimits: Sendable, Equatable {
    /// Least share of faulty frames that is found.
    package var recall: Double?
    /// Least share of right alarms.
    package var precision: Double?
    /// Largest share of normal frames that are taken for faulty.
    package var falseAlarmRate: Double?
    /// Largest 99th percentile from a file's end to its judgement, in s.
    package var latency99: Double?
    /// Whether it is enough that nobody can say whether frames were missed.
    package var allowsUnknown: Bool

    /// Asks for nothing but that no frame was missed.
    package init(
        recall: Double? = nil,
        precision: Double? = nil,
        falseAlarmRate: Double? = nil,
        latency99: Double? = nil,
        allowsUnknown: Bool = false
    ) {
        (self.recall, self.precision, self.falseAlarmRate) = (recall, precision, falseAlarmRate)
        (self.latency99, self.allowsUnknown) = (latency99, allowsUnknown)
    }

    /// Sentences that say where a run falls short; none for a run that is as asked.
    ///
    /// A figure that there is none of, such as the precision of no alarm, falls short of no limit.
    package func shortcomings(of report: CheckReport) -> [String] {
        var sentences: [String] = []
        switch report.missedNone {
        case true?: break
        case false?: sentences.append("\(report.frames.missed?.count ?? 0) frames were missed")
        case nil:
            if !allowsUnknown {
                sentences.append(
                    "without a ledger nobody can say that no frame was missed (--alarms-only takes that)"
                )
            }
        }
        let least = [
            ("recall", report.detection.recall, recall), ("precision", report.detection.precision, precision),
        ]
        for case (let name, let value?, let limit?) in least where value < limit {
            sentences.append("the \(name) is \(value), below \(limit)")
        }
        let latency = report.closeToJudged ?? report.closeToAlarm
        let most = [
            ("share of false alarms", report.detection.falseAlarmRate, falseAlarmRate),
            ("99th percentile of the latency in s", latency?.p99, latency99),
        ]
        for case (let name, let value?, let limit?) in most where value > limit {
            sentences.append("the \(name) is \(value), above \(limit)")
        }
        return sentences
    }
}
