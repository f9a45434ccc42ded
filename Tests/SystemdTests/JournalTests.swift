import Foundation
import Logging
import Synchronization
import TestSupport
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

    @Test("a journal that does not read holds nobody up, and is told later what it missed")
    func unread() async throws {
        try await withTemporaryFolder { folder in
            let path = folder.appending(path: "journal").path
            let socket = try NotifySocket(path)
            let outbox = Journal.outbox(to: path, capacity: 64 << 10)
            let journal = Journal(identifier: "test", outbox: outbox)
            // Ten or some hundred wait in the socket, some in the outbox, and the rest is lost.
            let sent = 5000
            for number in 0..<sent { #expect(journal.send(message: "record \(number)", priority: .info)) }
            var heard: [String] = []
            while heard.last?.contains("were lost between") != true, let record = socket.receive() {
                let message = record.split(separator: "\n").first { $0.hasPrefix("MESSAGE=") }
                heard.append(String(message?.dropFirst("MESSAGE=".count) ?? ""))
            }
            let told = heard.count - 1
            #expect(told > 10 && told < sent)
            let numbers = heard.dropLast().compactMap { $0.split(separator: " ").last.flatMap { Int($0) } }
            #expect(numbers.count == told && numbers == Set(numbers).sorted(), "in order, none twice")
            #expect(heard.last?.hasPrefix("\(sent - told) records were lost between 20") == true)
            // It goes on as before.
            #expect(journal.send(message: "again", priority: .info))
            #expect(socket.receive()?.contains("MESSAGE=again") == true)
        }
    }

    @Test("a pipe that nobody reads holds no logger up")
    func unreadPipe() throws {
        let pipe = Pipe()
        let outbox = StandardError.outbox(
            to: pipe.fileHandleForWriting.fileDescriptor,
            capacity: 100 << 10
        )
        let lines = (0..<5000).map { "line \($0) of a log that nobody reads\n" }
        for line in lines { #expect(outbox.send(Array(line.utf8))) }
        #expect(!outbox.flush(within: .milliseconds(1)))
        var text = ""
        while !text.contains("were lost between") {
            text += String(decoding: pipe.fileHandleForReading.availableData, as: UTF8.self)
        }
        let told = text.split(separator: "\n")
        let numbers = told.dropLast().compactMap {
            $0.split(separator: " ").dropFirst().first.flatMap { Int($0) }
        }
        #expect(
            numbers.count == told.count - 1 && numbers == Set(numbers).sorted(),
            "whole, in order, none twice"
        )
        #expect(told.last?.contains("\(lines.count - numbers.count) lines of the log were lost") == true)
        #expect(outbox.flush(within: .seconds(600)))
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
