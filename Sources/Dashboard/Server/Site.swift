import Foundation
import Hummingbird
import Ledger
import Reporting
import Synchronization

/// What every request works with.
struct Site: Sendable {
    let ledger: OpenLedger
    let tree: OutputTree
    let decisions: DecisionLog
    let answers: AdviceLog
    let format: WebSettings.PlateFormat
    let lenses: LensHistory
    /// What is known of the daemon; `nil` where none is asked for.
    let daemon: @Sendable () -> StatusFile.Standing?
    /// Whether decisions may be made here.
    let mayDecide: Bool
    /// Who decides here, unless they give another name; may be empty.
    let reviewer: String
    let alarms = AlarmTally()
    let worstFaults = WorstFaults()
    let shelf = PictureShelf()
    let records = Worker(name: "autoqc.page")
    /// For the frames' files, which may lie on a share that hangs.
    let pictures = Worker(name: "autoqc.pictures")
    /// For what watches the page from outside, which must not wait behind what visitors ask.
    let metrics = Worker(name: "autoqc.metrics")
    /// The same for what must answer while the ledger's disk does not.
    let health = Worker(name: "autoqc.health")

    /// Whether decisions can be stored here.
    var canDecide: Bool { mayDecide && decisions.isWritable }

    func reader() throws(LedgerError) -> PlateReader {
        PlateReader(
            ledger: try ledger.current(),
            tree: tree,
            decisions: decisions,
            answers: answers,
            format: format,
            lensHistory: lenses,
            worstFaults: worstFaults
        )
    }

    func ask<Value: Sendable>(_ body: @escaping @Sendable (PlateReader) throws -> Value) async throws -> Value
    {
        try await records.run { try body(reader()) }
    }

    func status() async throws -> Answer.Status {
        try await records.run { Answer.Status(tree, daemon(), canDecide: canDecide, reviewer: reviewer) }
    }

    /// Answers from the ledger about a run, in JSON; one that it does not know is 404.
    func answer(
        about run: String,
        _ body: @escaping @Sendable (PlateReader) throws -> any Encodable & Sendable
    ) async throws -> Response {
        try await answer(orElse: "there is no frame of a run \(run); /api/v1/runs lists the runs") {
            try await ask { reader in try reader.ledger.hasRun(run) ? try body(reader) : nil }
        }
    }

    /// Answers in JSON; nothing there is 404.
    func answer(
        orElse sentence: String = "there is no such thing",
        _ body: () async throws -> (any Encodable & Sendable)?
    ) async throws -> Response {
        guard let value = try await body() else { return .problem(.notFound, sentence) }
        return Response(type: "application/json; charset=utf-8", bytes: try Answer.encode(value))
    }
}

/// The ledger of an output folder, opened when it is asked for, and anew where another one lies there since.
final class OpenLedger: Sendable {
    private let path: String
    private let open = Mutex<FrameLedger?>(nil)

    init(_ path: String) { self.path = path }

    func current() throws(LedgerError) -> FrameLedger {
        try open.withLock { (open: inout FrameLedger?) throws(LedgerError) -> FrameLedger in
            if let open, !open.isOutdated { return open }
            // Closed when the last of those that still read it is done.
            open = nil
            guard unsafe access(path, F_OK) == 0 else {
                throw LedgerError(code: .notMade, path: path, detail: "it is not there")
            }
            let ledger = try FrameLedger(reading: path)
            open = ledger
            return ledger
        }
    }
}

/// One thread of low priority that does blocking jobs, so that a page never takes more than a part of one core.
///
/// Ledger and files block, which neither the server's event loops nor the cooperative pool may do. The thread goes with
/// the worker.
final class Worker: Sendable {
    /// More is asked for than the thread gets done.
    struct Busy: Error {}

    private struct State {
        var waiting: [@Sendable () -> Void] = []
        var isClosed = false
    }

    /// What thread and worker share; the thread must not keep the worker.
    private final class Line: Sendable {
        let state = Mutex(State())
        let signal = DispatchSemaphore(value: 0)

        func work() {
            while true {
                signal.wait()
                let (next, isClosed) = state.withLock { state in
                    (state.waiting.isEmpty ? nil : state.waiting.removeFirst(), state.isClosed)
                }
                if let next { next() } else if isClosed { return }
            }
        }
    }

    /// Jobs that may wait; beyond that a request is refused rather than answered late.
    private static let capacity = 512
    /// While judging wants every core, about a quarter of one: a film strip still comes within a second.
    private static let niceness: Int32 = 5

    private let line = Line()

    init(name: String) {
        let line = line
        let thread = Thread {
            // On Linux 0 is this thread, not the process.
            _ = setpriority(__priority_which_t(PRIO_PROCESS.rawValue), 0, Self.niceness)
            line.work()
        }
        thread.name = name
        thread.start()
    }

    deinit {
        line.state.withLock { $0.isClosed = true }
        line.signal.signal()
    }

    /// Waits for the jobs before it, and for what the body returns or throws; throws `Busy` where too much waits.
    func run<Value: Sendable>(_ body: @escaping @Sendable () throws -> Value) async throws -> Value {
        try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Value, any Error>) in
            let isTaken = line.state.withLock { state in
                guard state.waiting.count < Self.capacity else { return false }
                state.waiting.append { continuation.resume(with: Result { try body() }) }
                return true
            }
            if isTaken { line.signal.signal() } else { continuation.resume(throwing: Busy()) }
        }
    }
}
