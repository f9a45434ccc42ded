import Foundation
import Ledger
import Plate
import Reporting

/// What a daemon said about the frames of some runs.
struct Findings {
    /// What became of one frame, once.
    enum Outcome: Equatable {
        case judged(isFaulty: Bool, at: Timestamp)
        case quarantined
        case skipped
    }

    /// Where outcomes come from.
    enum Source: String {
        /// The ledger, which knows every frame.
        case ledger
        /// Alarm logs, which know faulty and unreadable frames only.
        case alarms
    }

    let source: Source
    /// What became of each frame, every time.
    private(set) var outcomes: [FrameID: [Outcome]] = [:]
    /// Lines of the alarm logs, in the order of writing within each well.
    let alarms: [Alarm]

    /// Gathers what is known already, for tests.
    init(source: Source, outcomes: [FrameID: [Outcome]], alarms: [Alarm]) {
        (self.source, self.outcomes, self.alarms) = (source, outcomes, alarms)
    }

    /// Reads an output folder: the ledger, or alarm logs where there is none or `alarmsOnly`.
    ///
    /// Throws a sentence where there is neither.
    init(folder: String, of rows: [TruthRow], alarmsOnly: Bool) throws(SimulationError) {
        let tree = OutputTree(root: folder)
        let runs = Set(rows.map(\.frame.run))
        alarms = try Self.alarms(in: tree, of: rows)
        if !alarmsOnly, FileManager.default.fileExists(atPath: tree.ledger) {
            source = .ledger
            try read(tree.ledger, runs)
        } else {
            guard runs.contains(where: { FileManager.default.fileExists(atPath: tree.folder(run: $0)) })
            else {
                throw SimulationError(
                    "\(folder): has no ledger and no alarm log of run \(runs.sorted().joined(separator: ", ")); "
                        + "name the --out folder of `autoqc watch`"
                )
            }
            source = .alarms
            for alarm in alarms { note(alarm) }
        }
    }

    private static func alarms(in tree: OutputTree, of rows: [TruthRow]) throws(SimulationError) -> [Alarm] {
        let wells = Set(rows.map { FrameID(run: $0.frame.run, well: $0.frame.well, index: 0) })
        var alarms: [Alarm] = []
        for well in wells.sorted() {
            let path = tree.alarmLog(run: well.run, well: well.well)
            guard FileManager.default.fileExists(atPath: path) else { continue }
            do {
                let text = try String(contentsOfFile: path, encoding: .utf8)
                alarms += text.split(separator: "\n").compactMap { AlarmLine.parse($0) }
            } catch {
                throw SimulationError("\(path): cannot be read (\(error.localizedDescription))")
            }
        }
        return alarms
    }

    private mutating func read(_ path: String, _ runs: Set<String>) throws(SimulationError) {
        do {
            let ledger = try FrameLedger(reading: path)
            try ledger.forEach { record in
                guard let frame = record.frame, runs.contains(frame.run) else { return }
                outcomes[frame, default: []].append(Self.outcome(of: record))
            }
            try ledger.close()
        } catch { throw SimulationError("\(error)") }
    }

    private static func outcome(of record: FrameRecord) -> Outcome {
        switch record.outcome {
        case .judged(let judgement): .judged(isFaulty: judgement.verdict == .faulty, at: record.judged)
        case .quarantined: .quarantined
        case .skipped: .skipped
        }
    }

    private mutating func note(_ alarm: Alarm) {
        switch alarm.event {
        case .fault: outcomes[alarm.frame, default: []].append(.judged(isFaulty: true, at: alarm.time))
        case .unreadable: outcomes[alarm.frame, default: []].append(.quarantined)
        case .onset, .clear, .drift, .plate, .plateClear, .stalled: break
        }
    }
}
