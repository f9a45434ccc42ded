import CSignals
import Glibc

/// What the handler of fatal signals does for one thread: it appends `crashed NN` and a zero byte, the signal's number, to a file.
///
/// Signals that end a crashed program are taken over: SIGILL and SIGTRAP (Swift's own checks), SIGSEGV, SIGBUS, SIGFPE, and SIGABRT,
/// which C libraries and systemd's watchdog send. SIGKILL cannot be, and is no crash.
package final class CrashWatch: Sendable {
    private let slot: Int32

    /// Takes the fatal signals over; each still shows a backtrace, where that is wanted, and ends the process.
    package static func install() { aqc_crash_install() }

    /// Watches the calling thread, which must end the watch, too.
    ///
    /// The file is open for appending for as long.
    package init(file: Int32) { slot = aqc_crash_watch(file) }

    deinit { aqc_crash_unwatch(slot) }

    /// Says that the thread works on what its file names.
    ///
    /// One that was worked on at a crash before is taken for the cause of the next, where it is not clear which thread crashed.
    package func works(isSuspect: Bool) { aqc_crash_set(slot, 1, isSuspect ? 1 : 0) }

    /// Says that the thread works on nothing.
    package func rests() { aqc_crash_set(slot, 0, 0) }
}
