import Files
import Foundation
import Ledger
import Logging
import Plate
import Reporting
import Synchronization

/// Keeps the advice of the ledger and its files in step with what was answered, and lets advice expire that nobody carries out.
///
/// Acquisition software answers with a file beside the advice, or on the page; `AdviceLog` decides who was first. A judging thread
/// asks the keeper. What cannot be read or written is tried again.
final class AdviceKeeper: Sendable {
    private static let interval = Duration.milliseconds(500)
    /// How long a reply may be unfinished.
    private static let patience = Duration.seconds(5)

    private struct State {
        /// When to look next.
        var due: ContinuousClock.Instant
        var expires: Duration
        /// The files to keep in step, each with what it says; `nil` before the first look.
        var files: [String: File]?
        /// What went wrong last, so that each trouble is logged once.
        var trouble: String?
    }

    /// The file of an advice.
    private struct File {
        /// The advice that it shows; `nil` before it is written.
        var shown: Advice?
    }

    private let environment: FramePipeline.Environment
    private let state: Mutex<State>

    init(_ environment: FramePipeline.Environment, expires: Duration, started: ContinuousClock.Instant = .now)
    {
        self.environment = environment
        state = Mutex(State(due: started, expires: expires))
    }

    /// Sets how long advice may be open.
    func set(expires: Duration) {
        state.withLock { $0.expires = expires }
    }

    /// Looks, if it is time to.
    func keep(now clock: ContinuousClock.Instant = .now) {
        let isDue = state.withLock { state in
            guard clock >= state.due else { return false }
            state.due = clock + Self.interval
            return true
        }
        guard isDue else { return }
        var troubles: [String] = []
        // Neither an advice nor a file keeps the others waiting.
        func attempt(_ body: () throws -> Void) {
            do { try body() } catch { troubles.append("\(error)") }
        }
        attempt {
            try environment.logs.alone {
                // First, so that what is answered right now is among them.
                var files = try files()
                for advice in try environment.ledger.advice(.open) {
                    attempt { try takeReply(to: advice) }
                    attempt { try takeAnswers(to: advice) }
                }
                for id in files.keys {
                    attempt { files[id] = try written(id, files[id]?.shown) }
                }
                state.withLock { $0.files = files }
            }
        }
        note(troubles.first)
    }

    /// Logs a trouble once, and that it is over.
    private func note(_ trouble: String?) {
        let before = state.withLock { state in
            defer { state.trouble = trouble }
            return state.trouble
        }
        guard trouble != before else { return }
        if let trouble {
            environment.logger.warning(
                "Advice cannot be written, or its answers read; both are tried again",
                metadata: ["reason": "\(trouble)"]
            )
        } else {
            environment.logger.notice("Advice can be written again")
        }
    }

    private func takeAnswers(to stored: Advice) throws {
        let (limit, now) = (state.withLock(\.expires), environment.now())
        var advice = try environment.answers.following(stored)
        let note: String? =
            if advice.state == .pending, advice.isOver {
                "its reason is gone"
            } else if advice.state.isOpen, now - advice.since >= limit {
                "nobody carried it out within \(limit.components.seconds) s"
            } else {
                nil
            }
        if let note {
            let answer = Advice.Answer(.expired, by: Advice.Answer.daemon, note: note, at: now)
            advice = try environment.answers.answer(advice, answer).advice
        }
        guard advice != stored else { return }
        try environment.ledger.record([], advice: [advice])
        environment.logger.notice(
            "Advice was answered",
            metadata: [
                "advice": "\(advice.id)", "action": "\(advice.action.rawValue)", "run": "\(advice.run)",
                "state": "\(advice.state.rawValue)", "by": "\(advice.answer?.by ?? "")",
            ]
        )
    }

    /// Takes the reply that lies beside an advice, if there is one.
    private func takeReply(to advice: Advice) throws {
        let path = environment.tree.adviceReply(run: advice.run, id: advice.id)
        guard let reply = try Reply(path) else { return }
        let answer: Advice.Answer
        do {
            answer = try AdviceReply.answer(reply.bytes, at: environment.now())
        } catch {
            // It may still be written.
            guard environment.now() - reply.modified >= Self.patience else { return }
            refuse(path, error.description)
            return try Durable.remove(path)
        }
        let (standing, isTaken) = try environment.answers.answer(advice, answer)
        if !isTaken { refuse(path, "the advice is \(standing.state.rawValue) already") }
        try Durable.remove(path)
    }

    private func refuse(_ path: String, _ reason: String) {
        environment.logger.warning(
            "An answer to advice does not count and is removed",
            metadata: ["file": "\(path)", "reason": "\(reason)"]
        )
    }

    /// The files to keep in step: those that were, and those of advice that may be answered.
    ///
    /// After a start, those as well that a crash left behind. A file that somebody removed is not made again.
    private func files() throws -> [String: File] {
        let known = state.withLock(\.files)
        var files = known ?? [:]
        for advice in try environment.ledger.advice(known == nil ? .all : .open) where files[advice.id] == nil
        {
            guard advice.state.isOpen || AdviceRecord.isBehind(advice, in: environment.tree) else { continue }
            files[advice.id] = File()
        }
        return files
    }

    /// Writes a file that shows another state than the ledger; `nil` for one that is not going to change any more.
    private func written(_ id: String, _ shown: Advice?) throws -> File? {
        guard let advice = try environment.ledger.advice(id: id) else { return nil }
        if advice != shown { try AdviceRecord.write(advice, to: environment.tree) }
        return advice.state.isOpen ? File(shown: advice) : nil
    }
}

/// A file with a reply.
private struct Reply {
    let bytes: [UInt8]
    let modified: Timestamp

    /// Reads it; `nil` where there is none.
    init?(_ path: String) throws(OutputError) {
        guard unsafe access(path, F_OK) == 0 else { return nil }
        // Whatever lies there must not hold up the thread.
        let file = try Durable.Handle(path, flags: O_RDONLY | O_NOFOLLOW | O_NONBLOCK)
        var status = stat()
        guard unsafe fstat(file.descriptor, &status) == 0 else {
            throw OutputError("look at", path, errno: errno)
        }
        modified = Timestamp(
            nanoseconds: Int64(status.st_mtim.tv_sec) * 1_000_000_000 + Int64(status.st_mtim.tv_nsec)
        )
        bytes = try file.read(at: 0, count: AdviceReply.longest + 1)
    }
}
