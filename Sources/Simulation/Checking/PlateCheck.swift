import Faults
import Foundation
import Ledger
import Plate
import Reporting

/// Compares a daemon's answers with the truth about the plate that it watched.
package struct PlateCheck {
    /// Steps of strength that recall is given for.
    static let steps: [(from: Double, to: Double)] = [(0, 0.25), (0.25, 0.5), (0.5, 0.75), (0.75, 1)]

    let rows: [TruthRow]
    let answers: DaemonAnswers

    /// Checks an output folder of `autoqc watch` against the truth.
    ///
    /// Reads the ledger, or only the alarm logs where there is no ledger or `alarmsOnly`. Throws where there is nothing to
    /// check.
    package static func report(
        folder: String,
        truth rows: [TruthRow],
        alarmsOnly: Bool = false
    ) throws(SimulationError) -> CheckReport {
        guard !rows.isEmpty else {
            throw SimulationError("the truth has no frame; was the plate ended at once?")
        }
        let answers = try DaemonAnswers(folder: folder, of: rows, alarmsOnly: alarmsOnly)
        return PlateCheck(rows: rows, answers: answers).report()
    }

    func report() -> CheckReport {
        CheckReport(
            source: answers.source.rawValue,
            frames: frames(),
            detection: CheckReport.Confusion(
                rows.map { (isFaulty: !$0.faults.isEmpty, isFlagged: isFlagged($0)) }
            ),
            wells: wells(),
            faults: faults(),
            onset: onset(),
            closeToJudged: answers.source == .ledger ? CheckReport.Percentiles(judgedDelays()) : nil,
            closeToAlarm: CheckReport.Percentiles(alarmDelays())
        )
    }

    private func isFlagged(_ row: TruthRow) -> Bool {
        answers.outcomes[row.frame]?.contains { outcome in
            if case .judged(true, _) = outcome { true } else { false }
        } ?? false
    }

    private func frames() -> CheckReport.Frames {
        let isLedger = answers.source == .ledger
        let known = rows.map { answers.outcomes[$0.frame] ?? [] }
        let judged = known.filter { $0.contains { if case .judged = $0 { true } else { false } } }.count
        let missed = zip(rows, known).filter { $0.1.isEmpty }.map { name(of: $0.0) }
        let written = Set(rows.map(\.frame))
        return CheckReport.Frames(
            written: rows.count,
            faulty: rows.filter { !$0.faults.isEmpty }.count,
            judged: isLedger ? judged : nil,
            quarantined: known.filter { $0.contains(.quarantined) }.count,
            skipped: known.filter { $0.contains(.skipped) }.count,
            missed: isLedger ? missed : nil,
            doubled: doubled(),
            unexpected: answers.outcomes.keys.filter { !written.contains($0) }.count
        )
    }

    /// A frame's path, with its position where the file is a movie.
    private func name(of row: TruthRow) -> String {
        row.file.hasSuffix("_f\(row.frame.index).tiff") ? row.file : "\(row.file) frame \(row.frame.index)"
    }

    /// Frames with two outcomes, or two FAULT lines of the same model.
    private func doubled() -> [String] {
        var lines: [String: Int] = [:]
        for alarm in answers.alarms where alarm.event == .fault {
            lines["\(alarm.frame) \(alarm.model)", default: 0] += 1
        }
        let twice = Set(
            answers.alarms.filter { lines["\($0.frame) \($0.model)", default: 0] > 1 }.map(\.frame)
        )
        return rows.filter { row in
            twice.contains(row.frame) || answers.outcomes[row.frame, default: []].count > 1
        }.map(name(of:))
    }

    private func wells() -> CheckReport.Confusion {
        let announced = Set(answers.alarms.filter { $0.event == .onset }.map { Self.well(of: $0.frame) })
        let faulty = Set(rows.filter { !$0.faults.isEmpty }.map { Self.well(of: $0.frame) })
        return CheckReport.Confusion(
            Set(rows.map { Self.well(of: $0.frame) }).map { well in
                (isFaulty: faulty.contains(well), isFlagged: announced.contains(well))
            }
        )
    }

    private static func well(of frame: FrameID) -> FrameID {
        FrameID(run: frame.run, well: frame.well, index: 0)
    }

    private func faults() -> [CheckReport.FaultRecall] {
        FaultKind.allCases.flatMap { kind -> [CheckReport.FaultRecall] in
            let shown = rows.flatMap { row in
                row.faults.filter { $0.kind == kind }.map { ($0.strength, isFlagged(row)) }
            }
            guard !shown.isEmpty else { return [] }
            let whole = [(from: 0.0, to: 1.0)]
            return (Self.steps + whole).compactMap { step in
                let part = shown.filter { $0.0 >= step.from && ($0.0 < step.to || step.to == 1) }
                guard !part.isEmpty else { return nil }
                return CheckReport.FaultRecall(
                    fault: kind.rawValue,
                    strength: [step.from, step.to],
                    frames: part.count,
                    found: part.filter(\.1).count
                )
            }
        }
    }

    private func judgedDelays() -> [Double] {
        rows.flatMap { row in
            (answers.outcomes[row.frame] ?? []).compactMap { outcome in
                guard case .judged(_, let time) = outcome else { return nil }
                return Self.seconds(from: row.closed, to: time)
            }
        }
    }

    private func alarmDelays() -> [Double] {
        let closed = Dictionary(rows.map { ($0.frame, $0.closed) }) { $1 }
        return answers.alarms.filter { $0.event == .fault }.compactMap { alarm in
            closed[alarm.frame].map { Self.seconds(from: $0, to: alarm.time) }
        }
    }

    private static func seconds(from start: Timestamp, to end: Timestamp) -> Double {
        (end - start) / .seconds(1)
    }

    /// A stretch of faulty frames of one well, and what its log says.
    private func onset() -> CheckReport.Onset {
        let transitions = Dictionary(
            grouping: answers.alarms.filter { $0.event == .onset || $0.event == .clear }
        ) { Self.well(of: $0.frame) }
        var (episodes, already) = (0, 0)
        var frames: [Double] = []
        var seconds: [Double] = []
        for (well, rows) in Dictionary(grouping: rows, by: { Self.well(of: $0.frame) }) {
            let log = transitions[well] ?? []
            for episode in Self.episodes(rows) {
                episodes += 1
                if let line = log.first(where: {
                    $0.event == .onset && episode.indices.contains($0.frame.index)
                }) {
                    frames.append(Double(line.frame.index - episode.indices.lowerBound))
                    seconds.append(Self.seconds(from: episode.closed, to: line.time))
                } else if log.last(where: { $0.frame.index < episode.indices.lowerBound })?.event == .onset {
                    already += 1
                }
            }
        }
        return CheckReport.Onset(
            episodes: episodes,
            announced: frames.count,
            alreadyFaulty: already,
            frames: CheckReport.Percentiles(frames),
            seconds: CheckReport.Percentiles(seconds)
        )
    }

    /// Stretches of faulty frames, with the end of the first one's file.
    private static func episodes(_ rows: [TruthRow]) -> [(indices: ClosedRange<Int>, closed: Timestamp)] {
        var result: [(indices: ClosedRange<Int>, closed: Timestamp)] = []
        var isGoingOn = false
        for row in rows.sorted(by: { $0.frame < $1.frame }) {
            let isFaulty = !row.faults.isEmpty
            if isFaulty, isGoingOn, let last = result.popLast() {
                result.append((last.indices.lowerBound...row.frame.index, last.closed))
            } else if isFaulty {
                result.append((row.frame.index...row.frame.index, row.closed))
            }
            isGoingOn = isFaulty
        }
        return result
    }
}

/// The outcomes and alarms that a daemon wrote for the frames of some runs.
struct DaemonAnswers {
    enum Outcome: Equatable {
        case judged(isFaulty: Bool, at: Timestamp)
        case quarantined
        case skipped
    }

    enum Source: String {
        /// The ledger, which has every frame.
        case ledger
        /// Alarm logs, which have faulty and unreadable frames only.
        case alarms
    }

    let source: Source
    /// All outcomes of each frame.
    private(set) var outcomes: [FrameID: [Outcome]] = [:]
    /// Lines of the alarm logs, in the order of writing within each well.
    let alarms: [Alarm]

    /// Takes answers as they are, for tests.
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
        case .onset, .clear, .shift, .drift, .plate, .plateClear, .stalled: break
        }
    }
}
