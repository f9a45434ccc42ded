import Foundation
import Ledger
import Plate
import Synchronization
import TestSupport
import Testing

@Suite(.serialized) struct SystemTests {
    @Test func theServiceManagerHearsOfEveryTurnInOrder() async throws {
        try await withTemporaryFolder { folder in
            let plate = try TestPlate(in: folder)
            let socket = try NotifySocket(path: folder.appending(path: "notify").path)
            let program = try Program(
                plate.watchArguments,
                in: folder,
                environment: ["NOTIFY_SOCKET": socket.path, "WATCHDOG_USEC": "1000000"]
            )
            try plate.add("01_A1_f0.tiff")
            try await until("the program is ready and alive") {
                let heard = socket.heard()
                return heard.contains("READY=1") && heard.contains("WATCHDOG=1")
                    && heard.contains { $0.hasPrefix("STATUS=") }
            }
            try await until("the frame is judged") { plate.counts()[.judged] == 1 }
            program.signal(SIGTERM)
            try await until("it says that it stops") { socket.heard().contains("STOPPING=1") }
            #expect(try await program.end() == 0)
            let heard = socket.heard()
            let ready = try #require(heard.firstIndex(of: "READY=1"))
            let watchdog = try #require(heard.firstIndex(of: "WATCHDOG=1"))
            let stopping = try #require(heard.firstIndex(of: "STOPPING=1"))
            let status = try #require(heard.firstIndex { $0.hasPrefix("STATUS=") })
            #expect(ready < status && status < watchdog && watchdog < stopping)
        }
    }

    @Test func judgingGoesOnWhenNobodyReadsTheLog() async throws {
        try await withTemporaryFolder { folder in
            let plate = try TestPlate(in: folder)
            let log = Pipe()
            let program = try Program(plate.watchArguments, in: folder, log: log)
            try log.fileHandleForReading.close()
            for index in 0..<3 { try plate.add("01_A1_f\(index).tiff", faulty: true) }
            try await until("the frames are judged") { plate.counts()[.judged] == 3 }
            program.signal(SIGTERM)
            #expect(try await program.end() == 0)
        }
    }

    @Test func judgingGoesOnWhenTheLogsPipeIsFull() async throws {
        try await withTemporaryFolder { folder in
            let plate = try TestPlate(in: folder)
            let log = Pipe()
            // More lines than a pipe holds, before the first frame.
            for index in 0..<800 {
                try Data().write(to: plate.watched.appending(path: "notes of the operator \(index).txt"))
            }
            let program = try Program(plate.watchArguments + ["--log-level", "debug"], in: folder, log: log)
            for index in 0..<3 { try plate.add("01_A1_f\(index).tiff", faulty: true) }
            try await until("the frames are judged") { plate.counts()[.judged] == 3 }
            program.signal(SIGTERM)
            #expect(try await program.end() == 0)
            withExtendedLifetime(log) {}
        }
    }

    @Test func aStartWaitsForItsOutputAndEndsAtOnce() async throws {
        try await withTemporaryFolder { folder in
            let plate = try TestPlate(in: folder)
            let socket = try NotifySocket(path: folder.appending(path: "notify").path)
            try Data("in the way".utf8).write(to: plate.out)
            try plate.add("01_A1_f0.tiff")
            let program = try Program(
                plate.watchArguments,
                in: folder,
                environment: ["NOTIFY_SOCKET": socket.path, "WATCHDOG_USEC": "60000000"]
            )
            try await until("the program says what it waits for", by: program) {
                let heard = socket.heard()
                return heard.contains("READY=1") && heard.contains("WATCHDOG=1")
                    && heard.contains { $0.hasPrefix("STATUS=cannot go on: Cannot make the folder") }
            }
            #expect(program.said.components(separatedBy: "The output cannot be used").count == 2)
            try FileManager.default.removeItem(at: plate.out)
            try await until("the frame is judged", by: program) { plate.counts()[.judged] == 1 }
            #expect(program.said.contains("The output can be used again"))
            program.signal(SIGTERM)
            #expect(try await program.end() == 0)

            try FileManager.default.removeItem(at: plate.out)
            try Data("in the way".utf8).write(to: plate.out)
            let other = try Program(plate.watchArguments, in: folder)
            try await until("the program waits", by: other) { other.said.contains("cannot be used") }
            other.signal(SIGTERM)
            #expect(try await other.end() == 0)
            let check = try Program(["validate"] + plate.watchArguments.dropFirst(), in: folder)
            #expect(try await check.end() != 0)
            #expect(check.said.contains("output: cannot make the folder"))
        }
    }

    private static let journal = "/run/systemd/journal/socket"

    @Test(
        .enabled(
            if: ((try? String(contentsOfFile: "/proc/net/unix", encoding: .utf8)) ?? "").contains(journal),
            "no journald listens here; Tests/Scripts/with-journald.sh starts one"
        )
    )
    func theJournalHoldsTheTransitionWithItsFields() async throws {
        try await withTemporaryFolder { folder in
            let plate = try TestPlate(in: folder)
            let run = "run" + String(UUID().uuidString.prefix(8))
            for frame in 0..<4 { try plate.add("\(run)_B1_f\(frame).tiff", faulty: frame > 0) }
            let program = try Program(plate.watchArguments + ["--once"], in: folder)
            #expect(try await program.end() == 0)
            // The journal may take a moment to write what it was sent.
            try await until("the record is in the journal") {
                try Self.records(run: run).contains { $0["AUTOQC_EVENT"] as? String == "ONSET" }
            }
            let onsets = try Self.records(run: run).filter { $0["AUTOQC_EVENT"] as? String == "ONSET" }
            #expect(onsets.count == 1)
            let onset = try #require(onsets.first)
            #expect(onset["AUTOQC_RUN"] as? String == run)
            #expect(onset["AUTOQC_WELL"] as? String == "B01")
            for field in ["AUTOQC_FRAME", "AUTOQC_SCORE", "AUTOQC_CAUSE", "AUTOQC_MODEL", "MESSAGE_ID"] {
                #expect(onset[field] is String, "\(field)")
            }
        }
    }

    private static func records(run: String) throws -> [[String: Any]] {
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = ["journalctl", "--output=json", "AUTOQC_WELL=B01", "AUTOQC_RUN=\(run)"]
        let pipe = Pipe()
        process.standardOutput = pipe
        process.standardError = FileHandle.nullDevice
        try process.run()
        let data = try pipe.fileHandleForReading.readToEnd() ?? Data()
        process.waitUntilExit()
        return data.split(separator: UInt8(ascii: "\n")).compactMap {
            try? JSONSerialization.jsonObject(with: $0) as? [String: Any]
        }
    }
}

/// The socket that systemd would listen on, read by a thread of its own: the socket holds few messages, and a program that ends
/// waits for its reader for two seconds only.
final class NotifySocket: Sendable {
    let path: String
    private let lines = Mutex<[String]>([])
    private let descriptor: Int32

    init(path: String) throws {
        self.path = path
        descriptor = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue), 0)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let bytes = Array(path.utf8)
        guard bytes.count < 100 else {
            throw Program.Failure(description: "\(path) is too long for a socket")
        }
        unsafe withUnsafeMutableBytes(of: &address.sun_path) { unsafe $0.copyBytes(from: bytes) }
        let length = socklen_t(MemoryLayout<sockaddr_un>.size)
        let bound = unsafe withUnsafePointer(to: &address) {
            unsafe $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                unsafe bind(descriptor, $0, length)
            }
        }
        guard bound == 0 else { throw Program.Failure(description: "cannot bind \(path)") }
        Thread { [weak self, descriptor] in
            var buffer = [UInt8](repeating: 0, count: 4096)
            // An empty one says that this has come to its end.
            while case let count = unsafe recv(descriptor, &buffer, buffer.count, 0), count > 0 {
                let text = String(decoding: buffer[..<count], as: UTF8.self)
                self?.lines.withLock { $0 += text.split(separator: "\n").map { String($0) } }
            }
            close(descriptor)
        }.start()
    }

    deinit { shutdown(descriptor, Int32(SHUT_RDWR)) }

    /// Every line so far.
    func heard() -> [String] { lines.withLock { $0 } }
}
