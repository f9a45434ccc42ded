import CInotifyTools
import Dispatch
import Foundation
import Glibc
import Synchronization

/// The one thread of the process that owns libinotifytools: it hands what happens in watched folders to the threads that look
/// after them.
///
/// It asks nothing of any file system but the kernel's own `/proc`, so no folder that does not answer can stop it.
final class NotificationThread: Sendable {
    /// Started by the first watcher; sleeps while there is none.
    static let shared: NotificationThread = {
        let notifications = NotificationThread()
        let thread = Thread { notifications.run() }
        thread.name = "autoqc.events"
        thread.start()
        return notifications
    }()

    private enum Command {
        case join(Mailbox)
        case watch(path: String, Mailbox, Reply)
        case release(Int32, Mailbox)
        case forget(Int32, Mailbox)
        case leave(Mailbox)
    }

    private final class Reply: Sendable {
        let result = Mutex<Result<Int32, FileSystem.Failure>>(.failure(FileSystem.Failure(code: EAGAIN)))
        let isThere = DispatchSemaphore(value: 0)
    }

    private let bell = Bell()
    private let commands = Mutex<[Command]>([])

    /// Hands mail to a mailbox from now on.
    func join(_ mailbox: Mailbox) { send(.join(mailbox)) }

    /// Watches a folder for a mailbox, and returns the number of its watch, the same for one that is watched already.
    func watch(_ folder: FileSystem.Handle, for mailbox: Mailbox) -> Result<Int32, FileSystem.Failure> {
        let reply = Reply()
        send(.watch(path: folder.path, mailbox, reply))
        reply.isThere.wait()
        return reply.result.withLock { $0 }
    }

    /// Ends one use of a watch.
    func release(_ watch: Int32, of mailbox: Mailbox) { send(.release(watch, mailbox)) }

    /// Forgets a watch that the kernel has most likely removed.
    func forget(_ watch: Int32, of mailbox: Mailbox) { send(.forget(watch, mailbox)) }

    /// Ends all uses of a mailbox.
    func leave(_ mailbox: Mailbox) { send(.leave(mailbox)) }

    private func send(_ command: Command) {
        commands.withLock { $0.append(command) }
        bell.ring()
    }

    private func run() {
        var loop = Loop(bell: bell)
        while true {
            loop.passEvents()
            let waiting = commands.withLock { commands in
                defer { commands = [] }
                return commands
            }
            for command in waiting { loop.carryOut(command) }
            loop.cleanUp()
        }
    }

    private struct Loop {
        private let bell: Bell
        private let notifications: FolderNotifications
        private var mailboxes: [ObjectIdentifier: Mailbox] = [:]
        /// How often each mailbox uses a watch.
        private var uses: [Int32: [ObjectIdentifier: Int]] = [:]
        private var alarm: ContinuousClock.Instant?

        init(bell: Bell) {
            self.bell = bell
            notifications = FolderNotifications(bell: bell)
            bell.ring()
        }

        mutating func carryOut(_ command: Command) {
            switch command {
            case .join(let mailbox): mailboxes[ObjectIdentifier(mailbox)] = mailbox
            case .watch(let path, let mailbox, let reply):
                let result = notifications.watch(path)
                if case .success(let watch) = result {
                    uses[watch, default: [:]][ObjectIdentifier(mailbox), default: 0] += 1
                }
                reply.result.withLock { $0 = result }
                reply.isThere.signal()
            case .release(let watch, let mailbox):
                let id = ObjectIdentifier(mailbox)
                guard let count = uses[watch]?[id] else { return }
                uses[watch]?[id] = count > 1 ? count - 1 : nil
                if uses[watch]?.isEmpty == true { uses[watch] = nil }
                notifications.release(watch, now: .now)
            case .forget(let watch, let mailbox):
                uses[watch]?[ObjectIdentifier(mailbox)] = nil
                if uses[watch]?.isEmpty ?? true {
                    uses[watch] = nil
                    notifications.forget(watch)
                }
            case .leave(let mailbox):
                let id = ObjectIdentifier(mailbox)
                for (watch, users) in uses {
                    for _ in 0..<(users[id] ?? 0) { notifications.release(watch, now: .now) }
                    uses[watch]?[id] = nil
                }
                mailboxes[id] = nil
            }
        }

        /// Hands out all events up to the next ring of the bell.
        mutating func passEvents() {
            while true {
                switch notifications.next() {
                case .bell: return
                case .folder(let notification):
                    for id in uses[notification.watch, default: [:]].keys { mailboxes[id]?.put(notification) }
                case .overflow: for mailbox in mailboxes.values { mailbox.note(.lost) }
                case .broken:
                    uses = [:]
                    for mailbox in mailboxes.values { mailbox.note(.broken) }
                }
            }
        }

        /// Removes watches that nobody needs any more, and sees to it that the bell rings for the rest.
        mutating func cleanUp() {
            guard let next = notifications.removeUnwanted(now: .now) else { return }
            let now = ContinuousClock.now
            guard alarm.map({ next < $0 || $0 <= now }) ?? true else { return }
            alarm = max(next, now + .milliseconds(10))
            bell.ring(after: max(next - now, .milliseconds(10)))
        }
    }
}

/// What the notification thread has for the thread of one watched folder.
final class Mailbox: Sendable {
    enum Note { case lost, broken, stop }

    struct Mail {
        /// In the order in which they happened.
        fileprivate(set) var notifications: [FolderNotification] = []
        /// Events were lost before these.
        fileprivate(set) var hasLost = false
        /// No notification will come any more.
        fileprivate(set) var isBroken = false
        fileprivate(set) var isStopped = false
        /// Files to look at again.
        fileprivate(set) var again: [FrameFile] = []

        fileprivate var isEmpty: Bool {
            notifications.isEmpty && again.isEmpty && !hasLost && !isBroken && !isStopped
        }
    }

    private let capacity: Int
    private let mail = Mutex(Mail())
    private let bell = DispatchSemaphore(value: 0)

    /// Keeps so many notifications: a folder that does not answer must not fill the memory.
    init(capacity: Int) { self.capacity = capacity }

    func put(_ notification: FolderNotification) {
        change { mail in
            guard mail.notifications.count < capacity else {
                mail.notifications = []
                mail.hasLost = true
                return
            }
            mail.notifications.append(notification)
        }
    }

    func note(_ note: Note) {
        change { mail in
            switch note {
            case .lost: mail.hasLost = true
            case .broken: mail.isBroken = true
            case .stop: mail.isStopped = true
            }
        }
    }

    func lookAgain(_ file: FrameFile) {
        change { $0.again.append(file) }
    }

    /// Takes what is there, or waits for it until a moment; `nil` is for ever.
    func take(waitingUntil moment: ContinuousClock.Instant?) -> Mail {
        while true {
            let taken = mail.withLock { mail in
                defer { mail = Mail() }
                return mail
            }
            let now = ContinuousClock.now
            if !taken.isEmpty || moment.map({ $0 <= now }) ?? false { return taken }
            guard let moment else {
                bell.wait()
                continue
            }
            let nanoseconds = min(max(0, (moment - now) / .nanoseconds(1)), 3.6e12)
            _ = bell.wait(timeout: .now() + .nanoseconds(Int(nanoseconds)))
        }
    }

    private func change(_ body: (inout Mail) -> Void) {
        let wasEmpty = mail.withLock { mail in
            defer { body(&mail) }
            return mail.isEmpty
        }
        if wasEmpty { bell.signal() }
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
        let nanoseconds = max(0, delay / .nanoseconds(1))
        DispatchQueue.global(qos: .utility)
            .asyncAfter(deadline: .now() + .nanoseconds(Int(min(nanoseconds, 3.6e12)))) { self.ring() }
    }

    func wait() {
        semaphore.wait()
    }
}
