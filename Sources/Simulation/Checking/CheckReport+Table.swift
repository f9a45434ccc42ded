import Foundation

extension CheckReport {
    /// How many paths of frames are written out.
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
