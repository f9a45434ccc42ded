import CInotifyTools
import Dispatch
import Glibc
import Synchronization

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

    /// Goes back to the semaphore.
    func close() {
        let file = descriptor.exchange(-1, ordering: .sequentiallyConsistent)
        if file >= 0 { Glibc.close(file) }
    }

    /// Wakes the thread; may be called from any.
    func ring() {
        let file = descriptor.load(ordering: .sequentiallyConsistent)
        if file < 0 || fchmod(file, S_IRUSR | S_IWUSR) != 0 { semaphore.signal() }
    }

    /// Wakes the thread at a later time.
    func ring(after delay: Duration) {
        let nanoseconds = max(0, delay / .nanoseconds(1))
        DispatchQueue.global(qos: .utility)
            .asyncAfter(deadline: .now() + .nanoseconds(Int(min(nanoseconds, 3.6e12)))) { self.ring() }
    }

    /// Waits for the semaphore.
    func wait() {
        semaphore.wait()
    }
}
