import CInotifyTools
import Dispatch
import Foundation
import Glibc
import Plate
import Synchronization

/// The one thread of the process that owns libinotifytools and looks after all watchers.
final class AcquisitionThread: Sendable {
    typealias CollectorID = Int

    /// Started by the first watcher; sleeps while there is none.
    static let shared: AcquisitionThread = {
        let acquisition = AcquisitionThread()
        let thread = Thread { acquisition.run() }
        thread.name = "acquisition"
        thread.start()
        return acquisition
    }()

    private enum Command {
        case start(CollectorID, WatchPlan, AsyncStream<AcquisitionEvent>.Continuation)
        case stop(CollectorID)
    }

    private let bell = Bell()
    private let commands = Mutex<(next: CollectorID, waiting: [Command])>((0, []))

    func start(_ plan: WatchPlan, _ continuation: AsyncStream<AcquisitionEvent>.Continuation) -> CollectorID {
        let id = commands.withLock { commands in
            commands.next += 1
            commands.waiting.append(.start(commands.next, plan, continuation))
            return commands.next
        }
        bell.ring()
        return id
    }

    /// Lets a watcher go; one that is gone already is no mistake.
    func stop(_ id: CollectorID) {
        commands.withLock { $0.waiting.append(.stop(id)) }
        bell.ring()
    }

    private func run() {
        var loop = Loop(bell: bell)
        while true {
            loop.passEvents()
            let waiting = commands.withLock { commands in
                defer { commands.waiting = [] }
                return commands.waiting
            }
            for command in waiting {
                switch command {
                case .start(let id, let plan, let continuation): loop.add(id, plan, continuation)
                case .stop(let id): loop.remove(id)
                }
            }
            loop.work()
        }
    }

    private struct Loop {
        private let bell: Bell
        private let notifications: FolderNotifications
        private var collectors: [CollectorID: Collector] = [:]
        private var alarm: ContinuousClock.Instant?
        private var hasRung = true

        init(bell: Bell) {
            self.bell = bell
            notifications = FolderNotifications(bell: bell)
            bell.ring()
        }

        mutating func add(
            _ id: CollectorID,
            _ plan: WatchPlan,
            _ continuation: AsyncStream<AcquisitionEvent>.Continuation
        ) {
            collectors[id] = Collector(plan, notifications) {
                if case .dropped = continuation.yield($0) { false } else { true }
            } finish: {
                continuation.finish()
            }
        }

        mutating func remove(_ id: CollectorID) {
            collectors.removeValue(forKey: id)?.end(.now)
        }

        /// Passes on all events up to the next ring of the bell.
        mutating func passEvents() {
            while true {
                switch notifications.next() {
                case .bell:
                    hasRung = false
                    return
                case .folder(let notification):
                    for collector in collectors.values { collector.receive(notification, .now) }
                case .overflow:
                    for collector in collectors.values { collector.rescan() }
                    hasRung = false
                case .broken:
                    for collector in collectors.values { collector.watchesBroke() }
                    hasRung = false
                }
                ring()
            }
        }

        /// Does a slice of what waits and sees to it that the bell rings for the rest.
        mutating func work() {
            let due = collectors.values.compactMap { $0.work() } + [notifications.removeUnwanted(now: .now)]
            guard let next = due.compactMap(\.self).min() else { return }
            let now = ContinuousClock.now
            if next <= now {
                ring()
            } else if alarm.map({ next < $0 || $0 <= now }) ?? true {
                alarm = next
                bell.ring(after: next - now)
            }
        }

        private mutating func ring() {
            guard !hasRung else { return }
            hasRung = true
            bell.ring()
        }
    }
}

/// Wakes the thread that waits for folder events.
///
/// libinotifytools can wait only for inotify events, in whole seconds, so the bell is one: a nameless file in
/// memory whose permissions are set again, which inotify reports. It queues behind the events that came
/// before it. Where there is no inotify the bell is a semaphore.
final class Bell: Sendable {
    private let descriptor = Atomic<Int32>(-1)
    private let semaphore = DispatchSemaphore(value: 0)

    /// Makes the file and returns the path under which it can be watched, or `nil` if there is none.
    func open() -> String? {
        let file = unsafe aqc_memory_file("autoqc-bell")
        guard file >= 0 else { return nil }
        descriptor.store(file, ordering: .sequentiallyConsistent)
        return "/proc/self/fd/\(file)"
    }

    func close() {
        let file = descriptor.exchange(-1, ordering: .sequentiallyConsistent)
        if file >= 0 { Glibc.close(file) }
    }

    /// Wakes the thread; may be called from any.
    func ring() {
        let file = descriptor.load(ordering: .sequentiallyConsistent)
        if file < 0 || fchmod(file, S_IRUSR | S_IWUSR) != 0 { semaphore.signal() }
    }

    func ring(after delay: Duration) {
        let nanoseconds = min(max(0, delay.wholeNanoseconds), 3_600_000_000_000)
        DispatchQueue.global(qos: .utility)
            .asyncAfter(deadline: .now() + .nanoseconds(Int(nanoseconds))) { self.ring() }
    }

    func wait() {
        semaphore.wait()
    }
}
