import Foundation
import Logging
import TestSupport
import Testing

@testable import Systemd

/// The environment belongs to the whole process, hence one after the other.
@Suite(.serialized) struct ServiceManagerTests {
    private func withEnvironment(_ values: [String: String], _ body: () throws -> Void) rethrows {
        for (name, value) in values { _ = unsafe setenv(name, value, 1) }
        defer { for name in values.keys { _ = unsafe unsetenv(name) } }
        try body()
    }

    @Test("READY, STATUS, WATCHDOG and STOPPING arrive in order", arguments: [false, true])
    func order(isAbstract: Bool) async throws {
        try await withTemporaryFolder { folder in
            let name = isAbstract ? "@autoqc-\(UUID().uuidString)" : folder.appending(path: "notify").path
            let socket = try NotifySocket(name)
            withEnvironment(["NOTIFY_SOCKET": name]) {
                let manager = ServiceManager()
                #expect(manager.ready())
                #expect(manager.status("3 frames wait\nREADY=0"))
                #expect(manager.watchdog())
                #expect(manager.reloading())
                #expect(manager.stopping())
                #expect(socket.receive() == "READY=1")
                #expect(socket.receive() == "STATUS=3 frames wait READY=0")
                #expect(socket.receive() == "WATCHDOG=1")
                let lines = socket.receive()?.split(separator: "\n") ?? []
                #expect(lines.first == "RELOADING=1" && lines.count == 2)
                let time = lines.last.flatMap {
                    $0.hasPrefix("MONOTONIC_USEC=") ? Int($0.dropFirst(15)) : nil
                }
                #expect((time ?? 0) > 0)
                #expect(socket.receive() == "STOPPING=1")
            }
        }
    }

    @Test("without a service manager nothing happens, and the caller knows")
    func absent() {
        let manager = ServiceManager()
        #expect(!manager.ready() && !manager.status("x") && !manager.watchdog() && !manager.stopping())
        withEnvironment(["NOTIFY_SOCKET": "/nowhere/notify"]) { #expect(!manager.ready()) }
        withEnvironment(["NOTIFY_SOCKET": "nonsense"]) { #expect(!manager.ready()) }
    }

    @Test("the watchdog's interval is read for this process only")
    func watchdogInterval() {
        let manager = ServiceManager()
        #expect(manager.watchdogInterval == nil)
        withEnvironment(["WATCHDOG_USEC": "30000000", "WATCHDOG_PID": "\(getpid())"]) {
            #expect(manager.watchdogInterval == .seconds(30))
        }
        withEnvironment(["WATCHDOG_USEC": "30000000", "WATCHDOG_PID": "1"]) {
            #expect(manager.watchdogInterval == nil)
        }
        withEnvironment(["WATCHDOG_USEC": "soon"]) { #expect(manager.watchdogInterval == nil) }
    }

    @Test("stderr is the journal only if device and inode agree")
    func journalStream() throws {
        var status = stat()
        #expect(unsafe fstat(STDERR_FILENO, &status) == 0)
        let own = "\(status.st_dev):\(status.st_ino)"
        withEnvironment(["JOURNAL_STREAM": own]) {
            #expect(ServiceLogging.standardErrorIsJournal)
            #expect(ServiceLogging.handler(label: "x", level: .debug) is JournalLogHandler)
        }
        withEnvironment(["JOURNAL_STREAM": "8:1"]) { #expect(!ServiceLogging.standardErrorIsJournal) }
        #expect(!ServiceLogging.standardErrorIsJournal)
        #expect(ServiceLogging.handler(label: "x", level: .debug).logLevel == .debug)
    }
}
