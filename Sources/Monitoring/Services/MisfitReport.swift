import Logging
import Synchronization

/// Tells of files that may be frames and are not taken, as long as they come: the first one at once, the others as a count
/// once a minute.
///
/// Otherwise nobody would see that the pattern does not fit a new microscope, or that its names have changed.
final class MisfitReport: Sendable {
    /// The time between two reports.
    let interval: Duration

    private struct State {
        var hasTold = false
        var count = 0
        var last: (file: String, reason: String)?
    }

    private let state = Mutex(State())

    init(interval: Duration = .seconds(60)) {
        self.interval = interval
    }

    /// Notes a file; it is told at once where none was since the last report.
    func add(_ file: String, _ reason: String, to logger: Logger) {
        let isFirst = state.withLock { state in
            state.count += 1
            state.last = (file, reason)
            defer { state.hasTold = true }
            return !state.hasTold
        }
        if isFirst { report(to: logger) }
    }

    /// Tells of the files since the last report; where there are none, the next one is told at once.
    func tell(to logger: Logger) {
        let isQuiet = state.withLock { state in
            if state.count == 0 { state.hasTold = false }
            return state.count == 0
        }
        if !isQuiet { report(to: logger) }
    }

    private func report(to logger: Logger) {
        let found = state.withLock { state in
            defer { (state.count, state.last) = (0, nil) }
            return (count: state.count, last: state.last)
        }
        guard let last = found.last else { return }
        logger.warning(
            "Files that may be frames are not judged; `autoqc doctor` shows which pattern fits their names",
            metadata: ["count": "\(found.count)", "file": "\(last.file)", "reason": "\(last.reason)"]
        )
    }
}
