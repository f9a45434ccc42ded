import Files
import Ledger
import Logging
import Plate
import Reporting
import Synchronization

/// What keeps the daemon from its work now, and why: for the log, the status line, `/healthz` and the page.
///
/// Several threads may meet the same obstacle; it is over when each of them has passed it. The log has a line when it is
/// met, when its cause changes, and when it is over.
final class Obstacles: Sendable {
    private struct Obstacle {
        var reason: String
        var cause: String
        var threads: Int
        let since: Timestamp
    }

    private let standing = Mutex<[String: Obstacle]>([:])
    private let logger: Logger

    init(logger: Logger) {
        self.logger = logger
    }

    /// What is in the way, the oldest first.
    var all: [DaemonFigures.Obstacle] {
        standing.withLock { $0.values.map { DaemonFigures.Obstacle(reason: $0.reason, since: $0.since) } }
            .sorted { ($0.since, $0.reason) < ($1.since, $1.reason) }
    }

    /// The same for the front of a status line; empty where nothing is in the way.
    var words: String { all.map { "cannot go on: \($0.reason) " }.joined() }

    /// Notes what a thread met, or that it met it again.
    ///
    /// `subject` is what cannot be used, for example `output`; a `cause` is the same although its `reason` names another path.
    func meet(_ subject: String, _ reason: String, cause: String, isFirst: Bool) {
        let isNews = standing.withLock { standing in
            let before = standing[subject]
            let threads = (before?.threads ?? 0) + (isFirst ? 1 : 0)
            standing[subject] = Obstacle(
                reason: reason,
                cause: cause,
                threads: threads,
                since: before?.since ?? .now
            )
            return before?.cause != cause
        }
        guard isNews else { return }
        logger.error(
            "The \(subject) cannot be used; frames wait and are caught up",
            metadata: ["reason": "\(reason)"]
        )
    }

    /// Notes that a thread that met it goes on, or gives up.
    func pass(_ subject: String) {
        let isOver = standing.withLock { standing in
            standing[subject]?.threads -= 1
            guard let threads = standing[subject]?.threads, threads <= 0 else { return false }
            standing[subject] = nil
            return true
        }
        if isOver { logger.notice("The \(subject) can be used again") }
    }
}

/// Which errors are obstacles.
enum Obstacle {
    static let output = "output"

    /// Whether the same may succeed later without a change of the configuration.
    static func mayPass(_ error: any Error) -> Bool {
        if let error = error as? OutputError { return error.code != .taken }
        return (error as? LedgerError)?.isRetriable == true
    }

    /// The error without the path that it was met at.
    static func cause(of error: any Error) -> String {
        (error as? OutputError)?.detail ?? (error as? LedgerError)?.detail ?? "\(error)"
    }
}
