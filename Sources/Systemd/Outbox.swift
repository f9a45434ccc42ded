import Foundation
import Synchronization

/// Messages to a reader who may not read: a journal that is stopped, a pipe that is full.
///
/// Whoever sends never waits. A message goes out at once where that is possible; else it waits in a queue of bounded size, and
/// a thread of its own hands it over. What finds no room is dropped and counted, and one message says so when it is over.
final class Outbox: Sendable {
    /// What became of a message.
    enum Outcome: Sendable {
        case taken
        /// There is no reader.
        case absent
        /// The reader does not read now.
        case full
    }

    /// Messages that found no room.
    struct Loss: Sendable {
        var count: Int
        let first: Date
        var last: Date

        /// For example `3 records were lost between 2026-11-22T10:00:01Z and 2026-11-22T10:05:00Z`.
        func words(_ things: String) -> String {
            "\(count) \(things) were lost between \(first.ISO8601Format()) and \(last.ISO8601Format())"
        }
    }

    private struct State {
        var waiting: [[UInt8]] = []
        var bytes = 0
        var loss: Loss?
        /// Whether the thread has taken a message that it has not handed over yet.
        var isDelivering = false
        var hasThread = false

        var isIdle: Bool { waiting.isEmpty && loss == nil && !isDelivering }
    }

    private let name: String
    private let capacity: Int
    private let attempt: @Sendable ([UInt8]) -> Outcome
    private let deliver: @Sendable ([UInt8]) -> Void
    private let report: @Sendable (Loss) -> [UInt8]
    private let state = Mutex(State())
    private let news = DispatchSemaphore(value: 0)

    /// An outbox for so many bytes; the thread has its name.
    ///
    /// `attempt` does not block. `deliver` may block for as long as the reader does not read. `report` says what was lost.
    init(
        name: String,
        capacity: Int,
        attempt: @escaping @Sendable ([UInt8]) -> Outcome = { _ in .full },
        deliver: @escaping @Sendable ([UInt8]) -> Void,
        report: @escaping @Sendable (Loss) -> [UInt8]
    ) {
        (self.name, self.capacity) = (name, capacity)
        (self.attempt, self.deliver, self.report) = (attempt, deliver, report)
    }

    /// Sends a message, now or later; `false` where there is no reader.
    func send(_ message: [UInt8]) -> Bool {
        let (isSent, isNews, startsThread) = state.withLock { state in
            if state.isIdle {
                switch attempt(message) {
                case .taken: return (true, false, false)
                case .absent: return (false, false, false)
                case .full: break
                }
            }
            let isRoom = state.bytes + message.count <= capacity
            if isRoom {
                state.waiting.append(message)
                state.bytes += message.count
            } else {
                let now = Date.now
                var loss = state.loss ?? Loss(count: 0, first: now, last: now)
                (loss.count, loss.last) = (loss.count + 1, now)
                state.loss = loss
            }
            defer { state.hasThread = true }
            return (true, isRoom, !state.hasThread)
        }
        if startsThread { start() }
        if isNews { news.signal() }
        return isSent
    }

    /// Waits until everything is handed over, for so long at most; whether it was.
    @discardableResult
    func flush(within limit: Duration) -> Bool {
        let end = ContinuousClock.now + limit
        while !state.withLock(\.isIdle) {
            guard ContinuousClock.now < end else { return false }
            usleep(2000)
        }
        return true
    }

    private func start() {
        let thread = Thread { [self] in
            while true {
                news.wait()
                while let message = next() {
                    deliver(message)
                    state.withLock { $0.isDelivering = false }
                }
            }
        }
        thread.name = name
        thread.start()
    }

    /// The next message, and behind all others what was lost.
    private func next() -> [UInt8]? {
        state.withLock { state in
            if !state.waiting.isEmpty {
                let message = state.waiting.removeFirst()
                state.bytes -= message.count
                state.isDelivering = true
                return message
            }
            guard let loss = state.loss else { return nil }
            (state.loss, state.isDelivering) = (nil, true)
            return report(loss)
        }
    }
}

/// Datagrams to a socket of the file system, or to an abstract one whose name begins with `@`; never blocks.
enum Datagram {
    private static let descriptor = socket(
        AF_UNIX,
        Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_NONBLOCK.rawValue) | Int32(SOCK_CLOEXEC.rawValue),
        0
    )

    /// Between two attempts at a reader who does not read.
    private static let pause: UInt32 = 50_000

    static func send(_ bytes: [UInt8], to name: String) -> Outbox.Outcome {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        var path = Array(name.utf8)
        let isAbstract = path.first == UInt8(ascii: "@")
        guard isAbstract || path.first == UInt8(ascii: "/"),
            path.count < MemoryLayout.size(ofValue: address.sun_path)
        else { return .absent }
        if isAbstract { path[0] = 0 }
        unsafe withUnsafeMutableBytes(of: &address.sun_path) { unsafe $0.copyBytes(from: path) }
        let length = (MemoryLayout.offset(of: \sockaddr_un.sun_path) ?? 2) + path.count + (isAbstract ? 0 : 1)
        while true {
            let count = unsafe withUnsafeBytes(of: &address) { raw in
                unsafe raw.withMemoryRebound(to: sockaddr.self) { address in
                    unsafe sendto(
                        descriptor,
                        bytes,
                        bytes.count,
                        Int32(MSG_NOSIGNAL),
                        address.baseAddress,
                        socklen_t(length)
                    )
                }
            }
            if count >= 0 { return .taken }
            switch errno {
            case EINTR: continue
            case EAGAIN, ENOBUFS: return .full
            default: return .absent
            }
        }
    }

    /// The same, for as long as the reader does not read.
    static func deliver(_ bytes: [UInt8], to name: String) {
        while send(bytes, to: name) == .full { usleep(pause) }
    }
}
