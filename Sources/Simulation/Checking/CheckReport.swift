import Foundation

/// The daemon's answers about a simulated plate, compared with the truth.
package struct CheckReport: Sendable, Equatable, Codable {
    /// `ledger`, or `alarms` where outcomes come from alarm logs only.
    let source: String
    let frames: Frames
    /// Faulty frames against flagged ones; missed and quarantined frames count as not flagged.
    let detection: Confusion
    /// Wells with a fault against wells with an ONSET.
    let wells: Confusion
    /// Recall of each class, in steps of strength.
    let faults: [FaultRecall]
    /// Time from a fault to its ONSET line.
    let onset: Onset
    /// From the file's end to the judgement, in s; `nil` without a ledger.
    let closeToJudged: Percentiles?
    /// From the file's end to the frame's FAULT line, in s.
    let closeToAlarm: Percentiles?

    struct Frames: Sendable, Equatable, Codable {
        let written: Int
        let faulty: Int
        let judged: Int?
        /// Set apart as unreadable.
        let quarantined: Int
        /// Not judged on purpose.
        let skipped: Int
        /// Paths of frames without an outcome; `nil` without a ledger, where this is not known.
        let missed: [String]?
        /// Paths of frames that were judged, or announced, more than once.
        let doubled: [String]
        /// Frames of these runs that the truth does not know.
        let unexpected: Int
    }

    struct Confusion: Sendable, Equatable, Codable {
        let found, overlooked, falseAlarms, passed: Int
        /// Share of the faulty that is found; `nil` for none.
        let recall: Double?
        /// Share of the alarms that is right; `nil` for none.
        let precision: Double?
        /// Share of the normal that is taken for faulty; `nil` for none.
        let falseAlarmRate: Double?

        init(found: Int, overlooked: Int, falseAlarms: Int, passed: Int) {
            (self.found, self.overlooked) = (found, overlooked)
            (self.falseAlarms, self.passed) = (falseAlarms, passed)
            recall = share(found, of: found + overlooked)
            precision = share(found, of: found + falseAlarms)
            falseAlarmRate = share(falseAlarms, of: falseAlarms + passed)
        }

        /// Counts pairs of truth and answer.
        init(_ pairs: some Sequence<(isFaulty: Bool, isFlagged: Bool)>) {
            var counts = [0, 0, 0, 0]
            for pair in pairs { counts[(pair.isFaulty ? 0 : 2) + (pair.isFlagged ? 0 : 1)] += 1 }
            self.init(found: counts[0], overlooked: counts[1], falseAlarms: counts[2], passed: counts[3])
        }
    }

    /// Recall of one class in one step of strength.
    struct FaultRecall: Sendable, Equatable, Codable {
        let fault: String
        /// Least strength of the step, and least of the next; 0 and 1 for all.
        let strength: [Double]
        let frames: Int
        /// Those of them that were flagged.
        let found: Int
        /// Their share; `nil` for none.
        let recall: Double?

        init(fault: String, strength: [Double], frames: Int, found: Int) {
            (self.fault, self.strength, self.frames, self.found) = (fault, strength, frames, found)
            recall = share(found, of: frames)
        }
    }

    /// From a fault's first frame to the ONSET line.
    struct Onset: Sendable, Equatable, Codable {
        /// Stretches of faulty frames of a well.
        let episodes: Int
        /// Those with an ONSET line within.
        let announced: Int
        /// Those that began while the well counted as faulty already.
        let alreadyFaulty: Int
        /// Frames from the first faulty one to the one of the line.
        let frames: Percentiles?
        /// From the end of the first faulty frame's file to the line, in s.
        let seconds: Percentiles?
    }

    struct Percentiles: Sendable, Equatable, Codable {
        let count: Int
        let p50, p90, p99, maximum: Double

        init?(_ values: [Double]) {
            guard let largest = values.max() else { return nil }
            let sorted = values.sorted()
            let rank = { (percent: Int) in sorted[max((sorted.count * percent + 99) / 100, 1) - 1] }
            count = sorted.count
            (p50, p90, p99, maximum) = (rank(50), rank(90), rank(99), largest)
        }
    }

    /// Whether every frame that was written has an outcome; `nil` without a ledger, where this is not known.
    var missedNone: Bool? { frames.missed?.isEmpty }
}

private func share(_ part: Int, of whole: Int) -> Double? {
    whole > 0 ? Double(part) / Double(whole) : nil
}

extension CheckReport {
    /// Paths of frames that are listed, at most.
    private static let mostListed = 20

    /// The report for people: some 20 lines of at most 110 columns, and the frames that were missed.
    package var table: [String] {
        frameLines + [""] + detectionLines + [""] + faultLines + [""] + delayLines
    }

    private var frameLines: [String] {
        let known =
            source == DaemonAnswers.Source.ledger.rawValue
            ? "\(frames.judged ?? 0) judged, \(frames.missed?.count ?? 0) missed"
            : "missed ones not known without a ledger"
        var lines = [
            "frames      \(frames.written) written (\(frames.faulty) faulty), \(known), "
                + "\(frames.quarantined) quarantined, \(frames.skipped) skipped, \(frames.doubled.count) doubled"
        ]
        if frames.unexpected > 0 {
            lines.append("            \(frames.unexpected) that the truth does not know")
        }
        lines += Self.listed("missed", frames.missed ?? []) + Self.listed("doubled", frames.doubled)
        return lines
    }

    private static func listed(_ name: String, _ paths: [String]) -> [String] {
        let lines = paths.prefix(mostListed).map { "  \(name): \($0)" }
        return paths.count > mostListed ? lines + ["  and \(paths.count - mostListed) more"] : lines
    }

    private var detectionLines: [String] {
        let columns = ["faulty", "found", "normal", "false", "recall", "precision", "false alarms"]
        return [Self.row("", columns)]
            + [("frames", detection), ("wells", wells)].map { name, counts in
                Self.row(
                    name,
                    [
                        "\(counts.found + counts.overlooked)", "\(counts.found)",
                        "\(counts.falseAlarms + counts.passed)", "\(counts.falseAlarms)",
                        Self.percent(counts.recall), Self.percent(counts.precision),
                        Self.percent(counts.falseAlarmRate),
                    ]
                )
            }
    }

    private var faultLines: [String] {
        guard !faults.isEmpty else { return ["no fault was shown"] }
        let bounds = PlateCheck.steps.map { [$0.from, $0.to] }
        let titles = bounds.map { String(format: "%.2f-%.2f", $0[0], $0[1]) }
        let kinds = faults.map(\.fault).enumerated().filter { faults.map(\.fault).firstIndex(of: $1) == $0 }
        return [Self.row("recall at strength", titles + ["all", "frames"])]
            + kinds.map { _, kind in
                let steps = faults.filter { $0.fault == kind }
                let all = steps.last { $0.strength == [0, 1] }
                let cells = bounds.map { bound in
                    steps.first { $0.strength == bound }.map { Self.percent($0.recall) } ?? "-"
                }
                return Self.row(kind, cells + [Self.percent(all?.recall), "\(all?.frames ?? 0)"])
            }
    }

    private var delayLines: [String] {
        let already =
            onset.alreadyFaulty > 0 ? ", \(onset.alreadyFaulty) in wells that were faulty already" : ""
        return [
            "onset       \(onset.announced) of \(onset.episodes) faults announced\(already)",
            Self.row("", ["count", "p50", "p90", "p99", "largest"]),
            Self.row("onset, frames", Self.cells(onset.frames, digits: 0)),
            Self.row("onset, s", Self.cells(onset.seconds, digits: 2)),
            Self.row("closed to judged, s", Self.cells(closeToJudged, digits: 2)),
            Self.row("closed to alarm, s", Self.cells(closeToAlarm, digits: 2)),
        ]
    }

    private static func cells(_ values: Percentiles?, digits: Int) -> [String] {
        guard let values else { return ["-", "-", "-", "-", "-"] }
        return ["\(values.count)"]
            + [values.p50, values.p90, values.p99, values.maximum].map { String(format: "%.\(digits)f", $0) }
    }

    private static func percent(_ share: Double?) -> String {
        share.map { String(format: "%.1f %%", $0 * 100) } ?? "-"
    }

    private static func row(_ name: String, _ cells: [String]) -> String {
        let left = { (text: String, width: Int) in
            text + String(repeating: " ", count: max(width - text.count, 0))
        }
        let right = { (text: String) in String(repeating: " ", count: max(11 - text.count, 1)) + text }
        return left(name, 20) + cells.map(right).joined()
    }
}

/// Limits that a checked run must keep.
package struct CheckLimits: Sendable, Equatable {
    /// Least share of faulty frames that is found.
    package var recall: Double?
    /// Least share of right alarms.
    package var precision: Double?
    /// Largest share of normal frames that are taken for faulty.
    package var falseAlarmRate: Double?
    /// Largest 99th percentile from a file's end to its judgement, in s.
    package var latency99: Double?
    /// Whether a run without a ledger passes, though missed frames are not known then.
    package var allowsUnknown = false

    /// By default the only condition is that no frame was missed.
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
    /// A figure that is not defined, such as the precision without an alarm, passes every limit.
    package func shortcomings(of report: CheckReport) -> [String] {
        var sentences: [String] = []
        switch report.missedNone {
        case true?: break
        case false?: sentences.append("\(report.frames.missed?.count ?? 0) frames were missed")
        case nil:
            if !allowsUnknown {
                sentences.append(
                    "without a ledger it is not known whether frames were missed (--alarms-only accepts that)"
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
