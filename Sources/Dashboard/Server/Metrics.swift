import Plate
import Reporting
import Rules

/// The daemon's figures in the text format of Prometheus 0.0.4; names are given without their prefix `autoqc_`.
struct Metrics {
    private(set) var text = ""

    init(figures: DaemonFigures?, run: String?, wells: [Answer.Well], status: Answer.Status) {
        if let figures { add(figures) }
        if let run { add(wells, run: run) }
        if let free = status.diskFree {
            describe("disk_free_bytes", "gauge", "Bytes left on the file system of the output.")
            sample("disk_free_bytes", Double(free))
        }
    }

    private mutating func add(_ figures: DaemonFigures) {
        gauge("queue_frames", "Frames that wait to be judged.", Double(figures.waiting))
        gauge("queue_deferred_frames", "Of them, those put off.", Double(figures.waitingDeferred))
        gauge("lag_seconds", "Time that judging would take for all waiting frames.", figures.lag)
        gauge("frames_per_second", "Frames judged per second over the last minute.", figures.framesPerSecond)
        gauge("ready", "1 once what lay there at the start is listed.", figures.isReady ? 1 : 0)
        describe("frames_total", "counter", "Frames since the daemon's start, by what became of them.")
        let counts = figures.counts
        for (outcome, count) in [
            ("normal", counts.judged - counts.flagged), ("faulty", counts.flagged),
            ("quarantined", counts.quarantined), ("skipped", counts.skipped), ("known", counts.known),
        ] {
            sample("frames_total", Double(count), [("outcome", outcome)])
        }
        counter("frames_seen_total", "Files taken from the watched folders.", counts.seen)
        counter("frames_half_total", "Frames judged by half of their patches.", counts.halves)
        counter("frames_deferred_total", "Frames judged after newer ones.", counts.deferred)
        add(figures.latency)
        describe("part_silence_seconds", "gauge", "Since a part of the daemon last got on with its work.")
        for part in figures.parts {
            sample("part_silence_seconds", part.silence, [("part", part.name)])
        }
        if let canary = figures.canary { add(canary) }
        describe("model_info", "gauge", "The model at work; always 1.")
        sample("model_info", 1, [("model", figures.model), ("precision", figures.precision)])
        gauge(
            "start_time_seconds",
            "When the daemon began, in Unix time.",
            Double(figures.started.nanoseconds) / 1e9
        )
    }

    private mutating func add(_ latency: DaemonFigures.Latency) {
        let name = "latency_seconds"
        describe(name, "histogram", "From a frame's completion on disk to its outcome.")
        for (limit, frames) in latency.upTo { sample("\(name)_bucket", Double(frames), [("le", "\(limit)")]) }
        let all = latency.all
        sample("\(name)_bucket", Double(all), [("le", "+Inf")])
        sample("\(name)_sum", latency.sum)
        sample("\(name)_count", Double(all))
    }

    private mutating func add(_ canary: DaemonFigures.Canary) {
        let name = "canary_sensitivity"
        describe(name, "gauge", "Share of faults on copies of live frames found in the last round, by cause.")
        for tally in canary.round.tallies where tally.copies > 0 {
            let share = Double(tally.found) / Double(tally.copies)
            sample(name, share, [("cause", tally.cause.rawValue)])
        }
        if let sensitivity = canary.round.sensitivity { sample(name, sensitivity, [("cause", "all")]) }
        gauge("canary_copies", "Faults put on copies in the last round.", Double(canary.round.copies))
        gauge(
            "canary_time_seconds",
            "When the last round ended, in Unix time.",
            Double(canary.round.time.nanoseconds) / 1e9
        )
        gauge("canary_alarm", "1 while faults are not found that should be.", canary.alarm == nil ? 0 : 1)
    }

    private mutating func add(_ wells: [Answer.Well], run: String) {
        describe("row_frames", "gauge", "Frames of the run recorded last, by row of the plate and verdict.")
        for (_, wells) in Dictionary(grouping: wells, by: \.row).sorted(by: { $0.key < $1.key }) {
            let letters = String(wells.first?.well.prefix { $0.isLetter } ?? "")
            for (verdict, count) in [
                ("normal", wells.reduce(0) { $0 + $1.judged - $1.flagged }),
                ("faulty", wells.reduce(0) { $0 + $1.flagged }),
                ("unreadable", wells.reduce(0) { $0 + $1.unreadable }),
            ] {
                sample("row_frames", Double(count), [("run", run), ("row", letters), ("verdict", verdict)])
            }
        }
        describe("wells", "gauge", "Wells of the run recorded last, by state.")
        for state in WellState.allCases {
            let count = wells.count { $0.state == state }
            sample("wells", Double(count), [("run", run), ("state", state.rawValue)])
        }
    }

    private mutating func gauge(_ name: String, _ help: String, _ value: Double) {
        describe(name, "gauge", help)
        sample(name, value)
    }

    private mutating func counter(_ name: String, _ help: String, _ value: Int) {
        describe(name, "counter", help)
        sample(name, Double(value))
    }

    private mutating func describe(_ name: String, _ type: String, _ help: String) {
        text += "# HELP autoqc_\(name) \(help)\n# TYPE autoqc_\(name) \(type)\n"
    }

    private mutating func sample(_ name: String, _ value: Double, _ labels: [(String, String)] = []) {
        let pairs = labels.map { "\($0.0)=\"\(Self.escaped($0.1))\"" }.joined(separator: ",")
        let number = value == value.rounded() && abs(value) < 1e15 ? "\(Int(value))" : "\(value)"
        text += "autoqc_\(name)\(labels.isEmpty ? "" : "{\(pairs)}") \(number)\n"
    }

    private static func escaped(_ text: String) -> String {
        text.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"").replacing("\n", with: "\\n")
    }
}
