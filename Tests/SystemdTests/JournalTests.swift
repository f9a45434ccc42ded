import Foundation
import Logging
import Synchronization
import Testing

@testable import Systemd

@Suite struct JournalTests {
    /// Whether a journal daemon listens on this machine.
    static let isServed: Bool = {
        let sockets = try? String(contentsOfFile: "/proc/net/unix", encoding: .utf8)
        return sockets?.contains("/run/systemd/journal/socket") ?? false
    }()

    @Test(
        "only names that the journal keeps are names of fields",
        arguments: [
            ("AUTOQC_WELL", true), ("A", true), ("X9_", true), (String(repeating: "A", count: 64), true),
            ("", false),
            ("_PID", false), ("9A", false), ("autoqc", false), ("A-B", false), ("A=B", false), ("A\n", false),
            ("Ä", false), (String(repeating: "A", count: 65), false),
        ]
    )
    func names(name: String, isValid: Bool) {
        #expect(JournalField.isValid(name: name) == isValid)
    }

    @Test(
        "any metadata key becomes a valid field name",
        arguments: [
            ("well", "AUTOQC_WELL"), ("autoqc_well", "AUTOQC_WELL"), ("_pid", "AUTOQC__PID"),
            ("ü.x", "AUTOQC____X"),
            ("", "AUTOQC_"),
            (String(repeating: "k", count: 99), "AUTOQC_" + String(repeating: "K", count: 57)),
        ]
    )
    func metadataKeys(key: String, name: String) {
        let field = JournalField(metadataKey: key, "v")
        #expect(field.name == name && JournalField.isValid(name: field.name))
    }

    @Test("without a journal nothing is sent, and the caller knows", .enabled(if: !isServed))
    func absent() {
        #expect(!Journal().send(message: "nobody hears this", priority: .info))
    }

    @Test("a record is found by its fields, whatever bytes they hold", .enabled(if: isServed))
    func found() async throws {
        let mark = UUID().uuidString
        let sent = Journal(identifier: "autoqc-test").send(
            message: "two\nlines",
            priority: .warning,
            fields: [
                JournalField("AUTOQC_WELL", "B01"), JournalField("AUTOQC_TEST", mark),
                JournalField("AUTOQC_BYTES", bytes: [0, 10, 255, 61]),
            ],
            messageID: "00000000000000010000000000000002"
        )
        #expect(sent)
        let record = try await Self.record(["AUTOQC_WELL=B01", "AUTOQC_TEST=\(mark)"])
        #expect(record["MESSAGE"] as? String == "two\nlines")
        #expect(record["PRIORITY"] as? String == "4")
        #expect(record["SYSLOG_IDENTIFIER"] as? String == "autoqc-test")
        #expect(record["MESSAGE_ID"] as? String == "00000000000000010000000000000002")
        #expect(record["AUTOQC_BYTES"] as? [Int] == [0, 10, 255, 61])
    }

    @Test("a logger's records carry level, metadata and place")
    func logHandler() throws {
        let records = Mutex<[(String, JournalPriority, [JournalField])]>([])
        var logger = Logger(label: "autoqc.test") { label in
            JournalLogHandler(label: label, fallback: SwiftLogNoOpLogHandler()) { message, priority, fields in
                records.withLock { $0.append((message, priority, fields)) }
                return true
            }
        }
        logger[metadataKey: "run"] = "01"
        logger.error("frame lost", metadata: ["well": "B01", "Bad Key": "x"])
        logger.debug("not logged")
        let (message, priority, fields) = try #require(records.withLock { $0.first })
        #expect(records.withLock { $0.count } == 1)
        #expect(message == "frame lost Bad Key=x run=01 well=B01")
        #expect(priority == .error)
        #expect(
            fields.prefix(4) == [
                JournalField("AUTOQC_BAD_KEY", "x"), JournalField("AUTOQC_RUN", "01"),
                JournalField("AUTOQC_WELL", "B01"), JournalField("AUTOQC_LOGGER", "autoqc.test"),
            ]
        )
        #expect(fields.contains { $0.name == "CODE_FILE" })
    }

    @Test("what the journal does not take goes to the other log")
    func fallback() {
        let caught = Caught()
        let logger = Logger(label: "x") { label in
            JournalLogHandler(label: label, fallback: caught) { _, _, _ in false }
        }
        logger.warning("still said", metadata: ["well": "B01"])
        #expect(caught.messages.withLock { $0 } == ["still said [\"well\": B01]"])
    }

    /// Keeps what it is given to log.
    private final class Caught: LogHandler {
        let messages = Mutex<[String]>([])
        var logLevel: Logger.Level {
            get { .trace }
            set {}
        }
        var metadata: Logger.Metadata {
            get { [:] }
            set {}
        }
        subscript(metadataKey key: String) -> Logger.Metadata.Value? {
            get { nil }
            set {}
        }

        func log(event: LogEvent) {
            messages.withLock { $0.append("\(event.message) \(event.metadata ?? [:])") }
        }
    }

    /// Asks `journalctl` until the record is there, at most 10 s.
    private static func record(_ matches: [String]) async throws -> [String: Any] {
        let deadline = ContinuousClock.now + .seconds(10)
        while ContinuousClock.now < deadline {
            let process = Process()
            process.executableURL = URL(filePath: "/usr/bin/journalctl")
            process.arguments = ["--output=json", "--no-pager", "--quiet", "--all"] + matches
            let pipe = Pipe()
            process.standardOutput = pipe
            try process.run()
            let data = try pipe.fileHandleForReading.readToEnd() ?? Data()
            process.waitUntilExit()
            if let line = data.split(separator: UInt8(ascii: "\n")).first,
                let record = try JSONSerialization.jsonObject(with: line) as? [String: Any]
            {
                return record
            }
            try await Task.sleep(for: .milliseconds(50))
        }
        throw CocoaError(.fileReadNoSuchFile)
    }
}
