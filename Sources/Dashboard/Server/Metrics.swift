import Ledger
import Plate
import Reporting
import Rules
import Synchronization

/// The daemon's figures in the text format of Prometheus 0.0.4.
///
/// Counters end in `_total`, names carry their unit, no sample is the sum of others with the same name, and none is a rate:
/// whoever asks knows how to make these. What cannot be read now is left out.
struct Metrics {
    private(set) var text = ""

    /// Asks the ledger; blocks.
    init(_ site: Site) {
        describe("build_info", "gauge", "This program; always 1.")
        sample("build_info", 1, [("version", BuildInfo.version)])
        add(site.daemon())
        if let ledger = try? site.ledger.current() { add(ledger, site) }
        let disk = Answer.Status(site.tree, nil, canDecide: false)
        if let free = disk.diskFree { gauge("disk_free_bytes", "Space left for the output.", Double(free)) }
        if let size = disk.diskSize {
            gauge("disk_size_bytes", "Size of the output's file system.", Double(size))
        }
        if let own = ProcessFigures.own { add(own, "process") }
    }

    private mutating func add(_ standing: StatusFile.Standing?) {
        switch standing {
        case nil: break
        case .gone: gauge("daemon_up", "1 while the daemon reports.", 0)
        case .alive(let figures):
            gauge("daemon_up", "1 while the daemon reports.", 1)
            add(figures)
            addStanding(figures)
        }
    }

    private mutating func add(_ figures: DaemonFigures) {
        gauge("queue_length", "Frames that wait to be judged.", Double(figures.waiting))
        gauge("queue_deferred_length", "Of them, those put off.", Double(figures.waitingDeferred))
        gauge("lag_seconds", "Time that judging would take for all waiting frames.", figures.lag)
        describe("frames_judged_total", "counter", "Frames since the daemon's start, by what became of them.")
        let counts = figures.counts
        for (outcome, count) in [
            ("normal", counts.judged - counts.flagged), ("faulty", counts.flagged),
            ("quarantined", counts.quarantined), ("skipped", counts.skipped), ("known", counts.known),
        ] {
            sample("frames_judged_total", Double(count), [("outcome", outcome)])
        }
        counter("frames_seen_total", "Files taken from the watched folders.", Double(counts.seen))
        counter("frames_half_total", "Frames judged by half of their patches.", Double(counts.halves))
        counter("frames_deferred_total", "Frames judged after newer ones.", Double(counts.deferred))
        add(figures.latency)
        if let canary = figures.canary { add(canary) }
        describe("model_info", "gauge", "The model at work; always 1.")
        sample("model_info", 1, [("model", figures.model), ("precision", figures.precision)])
        if let process = figures.process { add(process, "autoqc_daemon") }
    }

    private mutating func addStanding(_ figures: DaemonFigures) {
        gauge("ready", "1 once what lay there at the start is listed.", figures.isReady ? 1 : 0)
        gauge("obstacles", "What keeps the daemon from its work.", Double(figures.obstacles.count))
        gauge(
            "wells_waiting",
            "Wells that wait for a frame that cannot be written.",
            Double(figures.troubles.count)
        )
        describe("part_silence_seconds", "gauge", "Since a part of the daemon last got on with its work.")
        for part in figures.parts { sample("part_silence_seconds", part.silence, [("part", part.name)]) }
        describe("folder_silence_seconds", "gauge", "For how long a watched folder has not answered.")
        for folder in figures.silentFolders {
            sample("folder_silence_seconds", folder.silence, [("folder", folder.name)])
        }
    }

    private mutating func add(_ latency: DaemonFigures.Latency) {
        let name = "latency_seconds"
        describe(name, "histogram", "From a frame's completion on disk to its outcome.")
        for part in latency.upTo {
            sample("\(name)_bucket", Double(part.frames), [("le", "\(part.seconds)")])
        }
        let all = Double(latency.all)
        sample("\(name)_bucket", all, [("le", "+Inf")])
        sample("\(name)_sum", latency.sum)
        sample("\(name)_count", all)
    }

    private mutating func add(_ canary: DaemonFigures.Canary) {
        let tallies = canary.round.tallies.filter { $0.copies > 0 }
        describe("canary_copies", "gauge", "Faults put on copies of live frames in the last round, by cause.")
        for tally in tallies {
            sample("canary_copies", Double(tally.copies), [("cause", tally.cause.rawValue)])
        }
        describe("canary_found", "gauge", "Of them, those that were found.")
        for tally in tallies {
            sample("canary_found", Double(tally.found), [("cause", tally.cause.rawValue)])
        }
        gauge(
            "canary_timestamp_seconds",
            "When the last round ended, in Unix time.",
            Double(canary.round.time.nanoseconds) / 1e9
        )
        gauge("canary_alarm", "1 while faults are not found that should be.", canary.alarm == nil ? 0 : 1)
    }

    private mutating func add(_ ledger: FrameLedger, _ site: Site) {
        if let alarms = try? site.alarms.counts(in: ledger) {
            describe("alarms_total", "counter", "Alarms in the ledger, by event and probable cause.")
            for alarm in alarms {
                sample(
                    "alarms_total",
                    Double(alarm.alarms),
                    [("event", alarm.event), ("cause", alarm.cause ?? "none")]
                )
            }
        }
        if let last = try? ledger.lastFrame() {
            gauge(
                "last_frame_timestamp_seconds",
                "When the latest frame was complete that has an outcome, in Unix time.",
                Double(last.nanoseconds) / 1e9
            )
        }
        if let run = try? ledger.runs().first?.run, let wells = try? ledger.wells(of: run) {
            add(wells.map { Answer.Well($0) }, run: run)
        }
    }

    private mutating func add(_ wells: [Answer.Well], run: String) {
        describe("row_frames", "gauge", "Frames of the run recorded last, by row of the plate and verdict.")
        for (_, wells) in Dictionary(grouping: wells, by: \.row).sorted(by: { $0.key < $1.key }) {
            let letters = String(wells.first?.well.prefix { $0.isLetter } ?? "")
            let (judged, flagged) = (Self.sum(wells, \.judged), Self.sum(wells, \.flagged))
            for (verdict, count) in [
                ("normal", judged - flagged), ("faulty", flagged),
                ("unreadable", Self.sum(wells, \.unreadable)),
            ] {
                sample("row_frames", count, [("run", run), ("row", letters), ("verdict", verdict)])
            }
        }
        describe("wells", "gauge", "Wells of the run recorded last, by state.")
        for state in WellState.allCases {
            let count = wells.count { $0.state == state }
            sample("wells", Double(count), [("run", run), ("state", state.rawValue)])
        }
    }

    private static func sum(_ wells: [Answer.Well], _ number: KeyPath<Answer.Well, Int>) -> Double {
        wells.reduce(0) { $0 + Double($1[keyPath: number]) }
    }

    /// The figures of a process, with the names that Prometheus's clients give them; those of the daemon have its own front.
    private mutating func add(_ process: ProcessFigures, _ front: String) {
        let figures: [(name: String, type: String, help: String, value: Double?)] = [
            ("cpu_seconds_total", "counter", "Time on cores.", process.cpuSeconds),
            ("resident_memory_bytes", "gauge", "Memory in use.", Double(process.residentBytes)),
            ("virtual_memory_bytes", "gauge", "Address space.", Double(process.virtualBytes)),
            ("open_fds", "gauge", "Open files and sockets.", Double(process.openFiles)),
            ("max_fds", "gauge", "How many there may be.", process.mostFiles.map { Double($0) }),
            ("start_time_seconds", "gauge", "When the process began, in Unix time.", process.started),
        ]
        for figure in figures {
            guard let value = figure.value else { continue }
            describe(figure.name, figure.type, figure.help, front: front)
            sample(figure.name, value, front: front)
        }
    }

    private mutating func gauge(_ name: String, _ help: String, _ value: Double) {
        describe(name, "gauge", help)
        sample(name, value)
    }

    private mutating func counter(_ name: String, _ help: String, _ value: Double) {
        describe(name, "counter", help)
        sample(name, value)
    }

    private mutating func describe(_ name: String, _ type: String, _ help: String, front: String = "autoqc") {
        text += "# HELP \(front)_\(name) \(help)\n# TYPE \(front)_\(name) \(type)\n"
    }

    private mutating func sample(
        _ name: String,
        _ value: Double,
        _ labels: [(String, String)] = [],
        front: String = "autoqc"
    ) {
        let pairs = labels.map { "\($0.0)=\"\(Self.escaped($0.1))\"" }.joined(separator: ",")
        text += "\(front)_\(name)\(labels.isEmpty ? "" : "{\(pairs)}") \(Self.number(value))\n"
    }

    private static func number(_ value: Double) -> String {
        guard value.isFinite else { return value.isNaN ? "NaN" : value < 0 ? "-Inf" : "+Inf" }
        return value == value.rounded() && abs(value) < 1e15 ? "\(Int(value))" : "\(value)"
    }

    private static func escaped(_ text: String) -> String {
        text.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"").replacing("\n", with: "\\n")
    }
}

/// How many alarms a ledger holds, by kind and cause: counted on from the last time, as a ledger of a week has many.
final class AlarmTally: Sendable {
    private struct Kind: Hashable {
        let event: String
        let cause: String?
    }

    private struct State {
        weak var ledger: FrameLedger?
        var last: Int64 = 0
        /// Those that are expected are there from the start: an increase from nothing is none for Prometheus.
        var counts: [Kind: Int] = Dictionary(uniqueKeysWithValues: AlarmTally.expected.map { ($0, 0) })
    }

    private static let expected = Alarm.Event.allCases.flatMap { event -> [Kind] in
        guard event == .onset || event == .fault else { return [Kind(event: event.rawValue, cause: nil)] }
        return Cause.allCases.map { Kind(event: event.rawValue, cause: $0.rawValue) }
    }

    private let state = Mutex(State())

    func counts(in ledger: FrameLedger) throws(LedgerError) -> [FrameLedger.AlarmCount] {
        try state.withLock { (state: inout State) throws(LedgerError) -> [FrameLedger.AlarmCount] in
            if state.ledger !== ledger { state = State(ledger: ledger) }
            let (last, counts) = try ledger.alarmCounts(after: state.last)
            state.last = last
            for count in counts {
                state.counts[Kind(event: count.event, cause: count.cause), default: 0] += count.alarms
            }
            return state.counts.map { .init(event: $0.key.event, cause: $0.key.cause, alarms: $0.value) }
                .sorted { ($0.event, $0.cause ?? "") < ($1.event, $1.cause ?? "") }
        }
    }
}
