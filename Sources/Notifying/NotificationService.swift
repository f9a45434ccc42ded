import Foundation
package import Logging
import Plate
package import Reporting
import Synchronization
import Systemd

/// Tells receivers of what the ledger says: the process behind `autoqc notify`.
///
/// ```
/// ledger -> EventCollector -> NotificationStore -> a Dispatcher for each receiver -> Receiver (curl, sendmail, ...)
/// ```
/// It has a thread for the ledger and one for each receiver, so that none holds up another.
package final class NotificationService: Sendable {
    private struct State {
        var isStopped = false
        /// Why receivers are told nothing now.
        var troubles: [String: String] = [:]
    }

    private static let interval = Duration.seconds(1)
    private static let statusInterval = Duration.seconds(5)
    /// Between two attempts to write the store.
    private static let pause = Duration.seconds(10)
    /// The longest wait of a thread that nothing wakes.
    private static let longestWait = Duration.seconds(60)

    private let tree: OutputTree
    private let targets: [NotificationTarget]
    private let limit: Int
    private let keep: Duration
    private let logger: Logger
    private let state = Mutex(State())
    /// One for the ledger's thread, and one for each receiver's.
    private let wakes: [DispatchSemaphore]

    /// `limit` are messages a minute to each receiver; `keep` is how long an event is tried to be delivered.
    package init(
        tree: OutputTree,
        targets: [NotificationTarget],
        limit: Int,
        keep: Duration,
        logger: Logger
    ) {
        (self.tree, self.targets, self.limit, self.keep, self.logger) = (tree, targets, limit, keep, logger)
        wakes = (0...targets.count).map { _ in DispatchSemaphore(value: 0) }
    }

    /// Who says so: machine and output folder.
    package static func source(of tree: OutputTree) -> String {
        "\(ProcessInfo.processInfo.hostName):\(tree.root)"
    }

    /// Runs until `stopRequests` has an element; what was not told then is told after the next start.
    package func run(stopRequests: AsyncStream<Int32>) async throws {
        let manager = ServiceManager()
        let stopping = Task {
            for await _ in stopRequests { self.stop() }
        }
        defer { stopping.cancel() }
        let isFromBeginning = !FileManager.default.fileExists(atPath: tree.ledger)
        manager.ready()
        guard let (lock, store) = try await open(manager) else { return }
        let status = Task {
            while !Task.isCancelled {
                manager.status(self.status(store))
                try? await Task.sleep(for: Self.statusInterval)
            }
        }
        await withTaskGroup(of: Void.self) { group in
            group.addTask {
                await self.onThread("autoqc.collect") { self.collect(store, isFromBeginning) }
            }
            for index in targets.indices {
                group.addTask {
                    await self.onThread("autoqc.tell\(index + 1)") { self.tell(index, store) }
                }
            }
        }
        status.cancel()
        manager.stopping()
        withExtendedLifetime(lock) {}
    }

    private func stop() {
        state.withLock { $0.isStopped = true }
        for wake in wakes { wake.signal() }
    }

    private var isStopped: Bool { state.withLock { $0.isStopped } }

    /// Waits for the output folder, which the daemon makes; `nil` where the end comes before.
    private func open(_ manager: ServiceManager) async throws -> (OutputLock, NotificationStore)? {
        var isTold = false
        while !FileManager.default.fileExists(atPath: tree.root) {
            if !isTold {
                logger.notice(
                    "There is no output folder yet; it is waited for",
                    metadata: ["folder": "\(tree.root)"]
                )
                manager.status("waits for \(tree.root)")
                isTold = true
            }
            guard !isStopped else { return nil }
            try? await Task.sleep(for: .milliseconds(200))
        }
        let lock = try OutputLock(
            path: tree.notificationLock,
            isTaken: "another autoqc tells of these events"
        )
        let store = try NotificationStore(path: tree.notifications)
        try store.prune(at: .now)
        return (lock, store)
    }

    private func onThread(_ name: String, _ body: @escaping @Sendable () -> Void) async {
        await withCheckedContinuation { (continuation: CheckedContinuation<Void, Never>) in
            let thread = Thread {
                body()
                continuation.resume()
            }
            thread.name = name
            thread.start()
        }
    }

    private func collect(_ store: NotificationStore, _ isFromBeginning: Bool) {
        let collector = EventCollector(
            tree: tree,
            targets: targets,
            keep: keep,
            store: store,
            isFromBeginning: isFromBeginning,
            logger: logger
        )
        while !isStopped {
            let hasNews = patiently("Events cannot be kept to be told") { try collector.collect() } ?? false
            if hasNews { for wake in wakes.dropFirst() { wake.signal() } }
            wait(0, Self.interval)
        }
    }

    private func tell(_ index: Int, _ store: NotificationStore) {
        let target = targets[index]
        let receiver = Receiver(target: target)
        let dispatcher = Dispatcher(
            target,
            Dispatcher.Settings(limit: limit, keep: keep),
            source: Self.source(of: tree),
            store: store,
            logger: logger,
            deliver: { receiver.deliver($0) }
        )
        while !isStopped {
            let next =
                patiently("What was told cannot be noted") { try dispatcher.step() } ?? .now + Self.pause
            state.withLock { $0.troubles[target.name] = dispatcher.trouble }
            wait(index + 1, min(next.map { $0 - .now } ?? Self.longestWait, Self.longestWait))
        }
    }

    /// Says once what is wrong, until it is over; `nil` then.
    private func patiently<Value>(_ words: String, _ body: () throws -> Value) -> Value? {
        do {
            let value = try body()
            state.withLock { $0.troubles[words] = nil }
            return value
        } catch {
            let reason = "\(error)"
            let isNews = state.withLock { $0.troubles.updateValue(reason, forKey: words) != reason }
            if isNews { logger.error("\(words); it is tried again", metadata: ["reason": "\(reason)"]) }
            return nil
        }
    }

    private func wait(_ thread: Int, _ time: Duration) {
        guard time > .zero else { return }
        _ = wakes[thread].wait(timeout: .now() + .milliseconds(time.wholeMilliseconds))
    }

    /// For example `2 receivers, 3 events wait; chat: curl ended with status 7`.
    private func status(_ store: NotificationStore) -> String {
        let waiting = targets.reduce(0) { $0 + ((try? store.countWaiting(for: $1.name)) ?? 0) }
        let troubles = state.withLock { $0.troubles }.sorted { $0.key < $1.key }
            .map { "; \($0.key): \($0.value)" }.joined()
        return "\(targets.count) receivers, \(waiting) events wait\(troubles)"
    }
}

/// Tries the ways to receivers with a message that says that it is a test.
package enum NotificationTest {
    /// Sends it to a target; `nil` where it was taken, otherwise why not.
    package static func send(to target: NotificationTarget, of tree: OutputTree) -> String? {
        let message = Message.test(
            id: "tst_\(UUID().uuidString.lowercased().replacing("-", with: ""))",
            at: .now,
            source: NotificationService.source(of: tree)
        )
        return switch Receiver(target: target).deliver(message) {
        case .delivered: nil
        case .unreachable(let reason), .failed(let reason), .refused(let reason): reason
        }
    }
}
