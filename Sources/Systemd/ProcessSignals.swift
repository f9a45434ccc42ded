import Foundation
import Synchronization

/// Signals sent to this process, such as SIGTERM, as a stream.
///
/// A handler for the whole process puts each into a pipe. Dispatch's signal sources need the signal to be blocked in
/// every thread, and the threads of OpenMP and of this program do not block any: there the signal would end the process.
package enum ProcessSignals {
    private struct State {
        var listeners: [(signals: Set<Int32>, body: @Sendable (Int32) -> Void)] = []
        var isReading = false
    }

    private static let state = Mutex(State())

    /// Lets every signal through; for the first moment of a program, as threads inherit what the thread that makes them blocks.
    ///
    /// Whoever starts this program from a thread that blocks signals hands that on, and Ctrl-C would do nothing.
    package static func unblock() {
        var none = sigset_t()
        unsafe sigemptyset(&none)
        unsafe pthread_sigmask(SIG_SETMASK, &none, nil)
    }

    /// Takes over some signals for the rest of the process's life; `body` runs on a thread of its own.
    package static func listen(to signals: Set<Int32>, _ body: @escaping @Sendable (Int32) -> Void) {
        // The pipe is made here, not in the handler, where making it would not be safe.
        guard SignalPipe.exists else { return }
        let starts = state.withLock { state in
            state.listeners.append((signals, body))
            defer { state.isReading = true }
            return !state.isReading
        }
        if starts { startReading() }
        for number in signals { _ = signal(number) { SignalPipe.put($0) } }
    }

    /// Gives signals back: they do again what they do to a process that does not care.
    package static func release(_ signals: Set<Int32>) {
        for number in signals { _ = signal(number, SIG_DFL) }
    }

    /// Takes over some signals; one element for each that comes from here on.
    package static func stream(of signals: Set<Int32>) -> AsyncStream<Int32> {
        let (stream, continuation) = AsyncStream<Int32>.makeStream()
        listen(to: signals) { continuation.yield($0) }
        return stream
    }

    private static func startReading() {
        let thread = Thread {
            while let number = SignalPipe.next() {
                let listeners = state.withLock { $0.listeners }
                for listener in listeners where listener.signals.contains(number) { listener.body(number) }
            }
        }
        thread.name = "autoqc.signals"
        thread.start()
    }
}

/// The pipe between the signal handler and the thread that reads it.
private enum SignalPipe {
    /// Reading and writing end; made before the first handler is installed, and never closed.
    private static let ends: (read: Int32, write: Int32) = {
        var ends: [Int32] = [-1, -1]
        guard unsafe pipe(&ends) == 0 else { return (-1, -1) }
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        return (ends[0], ends[1])
    }()

    /// Whether the pipe could be made.
    static var exists: Bool { ends.write >= 0 }

    /// Called in a signal handler: nothing but write(2).
    static func put(_ number: Int32) {
        var byte = UInt8(truncatingIfNeeded: number)
        let saved = errno
        _ = unsafe write(ends.write, &byte, 1)
        errno = saved
    }

    /// Waits for the next signal; `nil` where there is no pipe.
    static func next() -> Int32? {
        var byte: UInt8 = 0
        while true {
            let count = unsafe read(ends.read, &byte, 1)
            if count == 1 { return Int32(byte) }
            guard count < 0, errno == EINTR else { return nil }
        }
    }
}
