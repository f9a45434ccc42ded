import CSystemd
import Glibc

/// What a `Type=notify` service tells the service manager (`sd_notify(3)`).
///
/// Each call says whether the manager was told or will be: `false` where the process was not started by one
/// (`NOTIFY_SOCKET` is not set) or the socket is not there. No call throws, waits, or changes the environment.
package struct ServiceManager: Sendable {
    /// Uses the environment of the process.
    package init() {}

    /// The service does its work from now on, for the first time or after a reload.
    @discardableResult
    package func ready() -> Bool { notify("READY=1") }

    /// One line about what the service does, for `systemctl status`; control characters become spaces.
    @discardableResult
    package func status(_ text: String) -> Bool { notify("STATUS=" + Self.oneLine(text)) }

    /// The work goes on; to be called only when it really does.
    @discardableResult
    package func watchdog() -> Bool { notify("WATCHDOG=1") }

    /// The service begins to shut down.
    @discardableResult
    package func stopping() -> Bool { notify("STOPPING=1") }

    /// The service begins to reload its configuration; `ready()` ends it.
    @discardableResult
    package func reloading() -> Bool {
        var now = timespec()
        guard unsafe clock_gettime(CLOCK_MONOTONIC, &now) == 0 else { return false }
        return notify("RELOADING=1\nMONOTONIC_USEC=\(now.tv_sec * 1_000_000 + now.tv_nsec / 1000)")
    }

    /// How long the manager waits for `watchdog()` before it restarts the service.
    ///
    /// It is `nil` if the manager does not watch this process; half of it is a good interval.
    package var watchdogInterval: Duration? {
        var microseconds: UInt64 = 0
        guard unsafe sd_watchdog_enabled(0, &microseconds) > 0 else { return nil }
        return .microseconds(Int64(clamping: microseconds))
    }

    /// Waits until the manager was told everything, for so long at most.
    static func flush(within limit: Duration) { outbox.flush(within: limit) }

    private func notify(_ state: String) -> Bool { Self.outbox.send(Array(state.utf8)) }

    /// Room for some minutes of a manager that does not read.
    private static let outbox = Outbox(
        name: "autoqc.notify",
        capacity: 16 << 10,
        attempt: { message in socket.map { Datagram.send(message, to: $0) } ?? .absent },
        deliver: { message in socket.map { Datagram.deliver(message, to: $0) } },
        report: { Array("STATUS=\($0.words("messages"))".utf8) }
    )

    private static var socket: String? { unsafe getenv("NOTIFY_SOCKET").map { unsafe String(cString: $0) } }

    /// A line break would start another assignment.
    private static func oneLine(_ text: String) -> String {
        let scalars = text.unicodeScalars.map { $0.properties.generalCategory == .control ? " " : $0 }
        return String(String.UnicodeScalarView(scalars))
    }
}

/// The machine's clock.
package enum SystemClock {
    /// Whether it follows another clock, as times in logs from several machines should.
    package static var isSynchronised: Bool { aqc_clock_is_synchronised() != 0 }
}
