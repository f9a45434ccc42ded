import Synchronization

/// Lets one thread at a time open, mend and append to the text logs below the output folder.
///
/// Wells of a run share its quarantine log, and a stall is written to a well's alarm log whoever judges the well. Few
/// frames need a log, so one turn for all of them costs nothing.
final class LogAccess: Sendable {
    private let turn = Mutex(())

    /// Waits for its turn.
    func alone<Value: Sendable>(_ body: () throws -> Value) throws -> Value {
        try turn.withLock { _ in try body() }
    }
}
