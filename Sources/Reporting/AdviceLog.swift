package import Files
import Foundation
package import Plate

/// What the microscope, or a person, answered to the advice of an output folder, `OUT/advice.jsonl`.
///
/// The log decides who was first: an answer is added only where it may follow the state that the log says. The ledger and the
/// files of the advice follow the log.
///
/// **Format.** UTF-8, one JSON object and a newline for each answer, append-only, fsynced. Its members are `at` (UTC, ms), `advice` (its
/// id), `state`, `by`, `note`. Lines that are none are passed over. Several processes may append: the daemon, and the page
/// under a user of its own.
package final class AdviceLog: Sendable {
    private struct Line: Codable {
        let at: String
        let advice: String
        let state: Advice.State
        let by: String
        let note: String
    }

    private let log: SharedLog<Line, [String: [Advice.Answer]]>

    /// The log of an output folder; nothing is made or read yet.
    package init(_ tree: OutputTree) {
        log = SharedLog(tree.adviceAnswers) { Self.answers($0) }
    }

    /// Makes the file where it is missing, and lets its group write it.
    package static func prepare(_ tree: OutputTree) throws(OutputError) {
        try SharedLogs.prepare(tree.adviceAnswers)
    }

    /// Whether this process may answer.
    package var isWritable: Bool { log.isWritable }

    /// An advice with the answers that came since it was stored.
    package func following(_ advice: Advice) throws(OutputError) -> Advice {
        Self.following(advice, try log.all())
    }

    /// Several of them.
    package func following(_ advice: [Advice]) throws(OutputError) -> [Advice] {
        let answers = try log.all()
        return advice.map { Self.following($0, answers) }
    }

    /// Answers an advice, durable when this returns; says how it stands now, and whether by this answer.
    ///
    /// The same answer given twice, as the first one's receipt was lost, counts once.
    package func answer(_ advice: Advice, _ answer: Advice.Answer) throws(OutputError) -> (
        advice: Advice, isTaken: Bool
    ) {
        var result = (advice: advice, isTaken: false)
        try log.add { answers in
            let current = Self.following(advice, answers)
            guard let next = current.answered(answer) else {
                let isSame = current.answer?.state == answer.state && current.answer?.by == answer.by
                result = (current, isSame)
                return nil
            }
            result = (next, true)
            return Line(
                at: answer.at.iso8601,
                advice: advice.id,
                state: answer.state,
                by: answer.by,
                note: answer.note
            )
        }
        return result
    }

    private static func following(_ advice: Advice, _ answers: [String: [Advice.Answer]]) -> Advice {
        (answers[advice.id] ?? []).reduce(advice) { $0.answered($1) ?? $0 }
    }

    private static func answers(_ lines: [Line]) -> [String: [Advice.Answer]] {
        lines.reduce(into: [:]) { answers, line in
            guard let time = Timestamp(iso8601: line.at) else { return }
            let answer = Advice.Answer(line.state, by: line.by, note: line.note, at: time)
            answers[line.advice, default: []].append(answer)
        }
    }
}
