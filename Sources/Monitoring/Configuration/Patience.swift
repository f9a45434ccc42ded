import Foundation
import Synchronization

/// Asks a file system something that it may not answer, as a share whose server is away.
enum Patience {
    /// Returns the answer, or `nil` where none came in time.
    ///
    /// The thread that asked goes when the answer comes after all.
    static func ask<Answer: Sendable>(
        within limit: Duration = .seconds(5),
        _ question: @escaping @Sendable () -> Answer
    ) -> Answer? {
        let answer = Box<Answer>()
        let isThere = DispatchSemaphore(value: 0)
        let thread = Thread {
            let value = question()
            answer.value.withLock { $0 = value }
            isThere.signal()
        }
        thread.name = "autoqc.asking"
        thread.start()
        _ = isThere.wait(timeout: .now() + .nanoseconds(Int(limit / .nanoseconds(1))))
        return answer.value.withLock { $0 }
    }

    private final class Box<Value: Sendable>: Sendable {
        let value = Mutex<Value?>(nil)
    }
}
