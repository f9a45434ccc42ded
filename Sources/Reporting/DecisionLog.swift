package import Files
import Foundation
package import Plate

/// What a person who looked at a frame, or at a whole well, says of its verdict.
///
/// Decisions are added and never changed; of those of one person on the same frame or well the last one counts. `Reviews` says
/// what several people's decisions come to.
package struct Decision: Sendable, Equatable {
    /// What was decided.
    package enum Kind: String, Sendable, CaseIterable, Codable {
        /// The frame is faulty indeed.
        case fault
        /// The frame is normal although it was flagged.
        case falseAlarm = "false-alarm"
        /// It cannot be told; the frame is no example of either.
        case unsure
        /// An earlier decision is taken back.
        case withdrawn
    }

    /// Longest note, in characters.
    package static let longestNote = 1000
    /// Longest name of a reviewer, in characters.
    package static let longestName = 80

    /// Name of the run.
    package let run: String
    /// The well.
    package let well: Well
    /// What the frame shows of the well.
    package let view: FrameView
    /// The frame's place in time; `nil` for the whole well.
    package let frame: Int?
    /// Which of the files that say this frame was decided on, by `FrameSource.key`; empty for the only one.
    package let file: String
    /// What was decided.
    package let kind: Kind
    /// The reviewer's words; may be empty.
    package let note: String
    /// Who decided, as they call themselves.
    package let reviewer: String
    /// When.
    package let decided: Timestamp

    /// Gathers a decision; note and name are cut to their longest length, the name without blanks around it.
    package init(
        run: String,
        well: Well,
        view: FrameView = .only,
        frame: Int?,
        file: String = "",
        kind: Kind,
        note: String,
        reviewer: String,
        decided: Timestamp
    ) {
        self.run = run
        self.well = well
        self.view = view
        self.frame = frame
        self.file = file
        self.kind = kind
        self.note = String(note.prefix(Self.longestNote))
        self.reviewer = String(reviewer.trimmingCharacters(in: .whitespaces).prefix(Self.longestName))
        self.decided = decided
    }

    /// The frame that was decided on; `nil` for the whole well.
    package var id: FrameID? { frame.map { FrameID(run: run, well: well, view: view, index: $0) } }
}

/// What reviewers decided on the frames of an output folder, `OUT/decisions.jsonl`.
///
/// **Format.** UTF-8, one JSON object and a newline for each decision, append-only, fsynced. Its members are `decided` (UTC, ms),
/// `run`, `well` (`B01`), `view`, `frame` (missing for a whole well), `file`, `decision`, `note`, `reviewer`. Lines that are none are
/// passed over. Several processes may append: the page writes the file under a user of its own.
package final class DecisionLog: Sendable {
    private struct Line: Codable {
        let decided: String
        let run: String
        let well: String
        let view: String
        let frame: Int?
        let file: String
        let decision: Decision.Kind
        let note: String
        let reviewer: String
    }

    /// Of the same frame or well, by the same person.
    private struct Subject: Hashable {
        let run: String
        let well: Well
        let view: FrameView
        let frame: Int?
        let file: String
        let reviewer: String
    }

    private let log: SharedLog<Line, [Decision]>

    /// The log of an output folder; nothing is made or read yet.
    package init(_ tree: OutputTree) {
        log = SharedLog(tree.decisions) { Self.last(of: $0) }
    }

    /// Makes the file where it is missing, and lets its group write it.
    package static func prepare(_ tree: OutputTree) throws(OutputError) {
        try SharedLogs.prepare(tree.decisions)
    }

    /// Whether this process may add decisions.
    package var isWritable: Bool { log.isWritable }

    /// Adds a decision, durable when this returns.
    package func add(_ decision: Decision) throws(OutputError) {
        try log.add { _ in
            Line(
                decided: decision.decided.iso8601,
                run: decision.run,
                well: decision.well.description,
                view: decision.view.description,
                frame: decision.frame,
                file: decision.file,
                decision: decision.kind,
                note: decision.note,
                reviewer: decision.reviewer
            )
        }
    }

    /// The decisions that count: each person's last one on each frame and each well, without those taken back, in the order of
    /// wells, time and people.
    package func decisions(run: String? = nil, well: Well? = nil) throws(OutputError) -> [Decision] {
        try log.all().filter { (run ?? $0.run) == $0.run && (well ?? $0.well) == $0.well }
    }

    private static func last(of lines: [Line]) -> [Decision] {
        var last: [Subject: Decision] = [:]
        for line in lines {
            guard let decision = decision(line) else { continue }
            last[subject(decision)] = decision
        }
        return last.values.filter { $0.kind != .withdrawn }.sorted { order($0) < order($1) }
    }

    private static func subject(_ decision: Decision) -> Subject {
        Subject(
            run: decision.run,
            well: decision.well,
            view: decision.view,
            frame: decision.frame,
            file: decision.file,
            reviewer: decision.reviewer
        )
    }

    private static func order(_ decision: Decision) -> (String, Well, FrameView, Int, String, String) {
        (
            decision.run, decision.well, decision.view, decision.frame ?? -1, decision.file,
            decision.reviewer
        )
    }

    private static func decision(_ line: Line) -> Decision? {
        guard let well = Well(line.well), let view = FrameView(line.view),
            let decided = Timestamp(iso8601: line.decided),
            line.frame.map(FrameID.indices.contains) ?? true
        else { return nil }
        return Decision(
            run: line.run,
            well: well,
            view: view,
            frame: line.frame,
            file: line.file,
            kind: line.decision,
            note: line.note,
            reviewer: line.reviewer,
            decided: decided
        )
    }
}
