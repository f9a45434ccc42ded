import ArgumentParser
import Foundation
import Ledger
import Plate
import Reporting
import Tables
import Training

struct TailCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "tail",
        abstract: "Show the alarm logs of all wells as they grow.",
        discussion: """
            On a terminal, lines are aligned and coloured, with local time. Elsewhere they are the lines of \
            the logs. It follows the logs until Ctrl-C. NO_COLOR in the environment turns colours off.

            Examples:
              autoqc tail /srv/autoqc --turns
              autoqc tail /srv/autoqc --event ONSET PLATE --well B01 C12
              autoqc tail /srv/autoqc --once --lines 20
            """
    )

    @Argument(
        help: ArgumentHelp("The output folder of `autoqc watch`.", valueName: "DIR"),
        completion: .directory
    )
    var out: String
    @Option(name: .customLong("run"), help: ArgumentHelp("One run only.", valueName: "RUN"))
    var oneRun: String?
    @Option(
        name: .customLong("well"),
        parsing: .upToNextOption,
        help: ArgumentHelp("Some wells only, for example B01 C12.", valueName: "WELL")
    )
    var wells: [String] = []
    @Flag(help: "Only what changes a state: no FAULT, no UNREADABLE.")
    var turns = false
    @Option(
        name: .customLong("event"),
        parsing: .upToNextOption,
        help: ArgumentHelp("Some events only, for example ONSET CLEAR PLATE.", valueName: "EVENT")
    )
    var events: [String] = []
    @Option(
        help: ArgumentHelp("Lines to begin with, at most.", valueName: "N"),
        transform: NumberOption.within(0...1_000_000)
    )
    var lines = 20
    @Flag(help: "End after these lines.")
    var once = false

    private static let interval = Duration.milliseconds(500)

    func validate() throws {
        for name in wells where Well(name) == nil { throw ValidationError("\(name) is no well; write B01") }
        for name in events where Alarm.Event(rawValue: name.uppercased()) == nil {
            let names = Alarm.Event.allCases.map(\.rawValue).joined(separator: ", ")
            throw ValidationError("\(name) is no event; there are \(names)")
        }
    }

    private func isShown(_ event: Alarm.Event) -> Bool {
        (events.isEmpty || events.contains { $0.uppercased() == event.rawValue })
            && !(turns && (event == .fault || event == .unreadable))
    }

    /// A run or well that is not there may still come: it is waited for, but for an end at once.
    private func checkNames(_ root: String) throws {
        let ledger = OutputTree(root: root).ledger
        guard oneRun != nil || !wells.isEmpty, FileManager.default.fileExists(atPath: ledger) else { return }
        do {
            let ledger = try FrameLedger(reading: ledger)
            try LedgerOptions.check(run: oneRun, in: ledger)
            for well in wells.compactMap({ Well($0) }) {
                try LedgerOptions.check(run: oneRun, well: well, in: ledger)
            }
        } catch let error as DataError where !once {
            Terminal.note("\(error). Waiting for it")
        }
    }

    func run() async throws {
        let root = URL(filePath: out).standardizedFileURL.path
        guard FileManager.default.fileExists(atPath: root) else {
            throw DataError("\(out) is not there; name the output folder of `autoqc watch`")
        }
        try checkNames(root)
        var follower = AlarmFollower(
            tree: OutputTree(root: root),
            run: oneRun,
            wells: Set(wells.compactMap { Well($0) })
        )
        let isTerminal = isatty(STDOUT_FILENO) == 1
        let isColoured = isTerminal && ProcessInfo.processInfo.environment["NO_COLOR"] == nil
        var news = try follower.next().filter { isShown($0.alarm.event) }.suffix(lines)
        while true {
            for line in news { try Terminal.say(isTerminal ? Self.row(line.alarm, isColoured) : line.text) }
            if once { return }
            try await Task.sleep(for: Self.interval)
            news = try follower.next().filter { isShown($0.alarm.event) }[...]
        }
    }

    /// Time, well, event, frame and figures in columns; for example
    /// `20:25:43 CET  01  B01  FAULT        f300    severity 9.0 (limit 6.3)  area 2.0 %  unknown`.
    static func row(_ alarm: Alarm, _ isColoured: Bool) -> String {
        let event = padded(alarm.event.rawValue, 11)
        var columns = [
            alarm.time.localClock, padded(alarm.frame.run, 4), alarm.frame.place,
            isColoured ? "\u{1B}[\(colour(alarm.event))m\(event)\u{1B}[0m" : event,
            padded("f\(alarm.frame.index)", 6),
        ]
        if let judgement = alarm.judgement {
            columns.append(
                "severity \(judgement.severity.digits(1)) (limit \(judgement.threshold.digits(1)))"
            )
        }
        if let judgement = alarm.judgement, alarm.isOfFault {
            columns.append("area \((100 * judgement.area).digits(1)) %")
            let confidence =
                judgement.confidence.map { " (\(Int(saturating: (100 * $0).rounded())) %)" } ?? ""
            columns.append(judgement.cause.cause.rawValue + confidence)
            if judgement.tier != .full { columns.append(judgement.tier.rawValue) }
        }
        if let beginning = alarm.beginning {
            columns.append("since f\(beginning.firstFaulty)")
        }
        if let pattern = alarm.pattern { columns.append(pattern) }
        if let reason = alarm.reason { columns.append(Logfmt.line([(key: "reason", value: reason)])) }
        return columns.joined(separator: "  ")
    }

    private static func padded(_ text: String, _ width: Int) -> String {
        text + String(repeating: " ", count: max(0, width - text.count))
    }

    /// Red for what needs a hand now, yellow for one frame, green for the end of it.
    private static func colour(_ event: Alarm.Event) -> Int {
        switch event {
        case .onset, .plate: 31
        case .fault: 33
        case .clear, .plateClear: 32
        case .shift, .drift: 34
        case .stalled: 35
        case .unreadable: 36
        }
    }
}
