import Foundation
import Ledger
import Plate
import TestSupport
import Testing

/// `autoqc notify` beside the daemon, with a program as a receiver.
@Suite(.serialized) struct NotifyTests {
    private struct Stage {
        let plate: TestPlate
        let configuration: URL
        private let inbox: URL
        private let broken: URL

        /// The receiver keeps what it gets, and fails while a file says so.
        init(in folder: URL) throws {
            plate = try TestPlate(in: folder)
            configuration = folder.appending(path: "plate.yaml")
            inbox = folder.appending(path: "inbox")
            broken = folder.appending(path: "broken")
            let program = folder.appending(path: "receiver")
            let script = "#!/bin/sh\n[ -e '\(broken.path)' ] && exit 1\ncat >> '\(inbox.path)'\n"
            try Data(script.utf8).write(to: program)
            try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: program.path)
            let text = """
                model: \(Program.model)
                output: \(plate.out.path)
                watch: [\(plate.watched.path)]
                threads: 1
                hysteresis: {onset: 1, of: 1}
                notify:
                  targets:
                    keeper: {command: [\(program.path)]}
                    missing: {command: [\(folder.path)/nowhere], events: [CANARY]}

                """
            try Data(text.utf8).write(to: configuration)
        }

        func breakReceiver(_ isBroken: Bool) throws {
            if isBroken {
                try Data().write(to: broken)
            } else {
                try FileManager.default.removeItem(at: broken)
            }
        }

        /// Type and id of what the receiver got; a message that was killed before it was noted comes again with its id.
        func got() throws -> [(type: String, id: String)] {
            let text = (try? String(contentsOf: inbox, encoding: .utf8)) ?? ""
            var messages: [(type: String, id: String)] = []
            for line in text.split(separator: "\n") {
                let json = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any]
                let type = try #require(json?["type"] as? String)
                let id = try #require((json?["data"] as? [String: Any])?["id"] as? String)
                if !messages.contains(where: { $0.id == id }) { messages.append((type, id)) }
            }
            return messages
        }

        func types() throws -> [String] { try got().map(\.type) }

        func judge(_ name: String, faulty: Bool, in folder: URL) async throws -> Program {
            try plate.add(name, faulty: faulty)
            let program = try Program(["watch", "--config", configuration.path, "--once"], in: folder)
            #expect(try await program.end() == 0)
            return program
        }

        var arguments: [String] { ["notify", "--config", configuration.path] }
    }

    @Test func turnsAreToldOnceThroughKillsAndAReceiverThatFails() async throws {
        try await withTemporaryFolder { folder in
            let stage = try Stage(in: folder)
            let first = try Program(stage.arguments, in: folder)
            try await until("it waits", by: first) { first.said.contains("There is no output folder yet") }
            let daemon = try await stage.judge("01_B1_f1.tif", faulty: true, in: folder)
            // Without a journal behind standard error the daemon says the same there.
            #expect(daemon.said.contains("Well B01 of run 01 turned faulty at frame 1"))
            try await until("the onset is told", by: first) { try stage.types() == ["autoqc.onset"] }
            first.signal(SIGKILL)
            _ = try await first.end()

            try stage.breakReceiver(true)
            _ = try await stage.judge("01_B1_f2.tif", faulty: false, in: folder)
            let second = try Program(stage.arguments, in: folder)
            try await until("it is tried", by: second) { second.said.contains("could not be delivered") }
            let rival = try Program(stage.arguments, in: folder)
            #expect(try await rival.end() == 1)
            #expect(rival.said.contains("another autoqc tells of these events"))
            second.signal(SIGKILL)
            _ = try await second.end()

            try stage.breakReceiver(false)
            let third = try Program(stage.arguments, in: folder)
            try await until("the end is told", by: third) { try stage.types().count == 2 }
            third.signal(SIGTERM)
            #expect(try await third.end() == 0, "\(third.said)")
            #expect(try stage.types() == ["autoqc.onset", "autoqc.clear"])
            let ids = try stage.got().map(\.id)
            let recorded = try FrameLedger(reading: stage.plate.out.appending(path: "ledger.sqlite").path)
                .events(after: 0).map(\.event.id)
            #expect(ids == recorded)
        }
    }

    @Test func aTestSaysWhichReceiversAnswer() async throws {
        try await withTemporaryFolder { folder in
            let stage = try Stage(in: folder)
            let all = try Program(stage.arguments + ["--test"], in: folder)
            #expect(try await all.end() == 1)
            let lines = all.printed.split(separator: "\n")
            #expect(lines.first == "ok    keeper")
            #expect(
                lines.last?.hasPrefix("fail  missing: ") == true
                    && lines.last?.contains("is not there") == true
            )
            #expect(try stage.types() == ["autoqc.test"])
            let one = try Program(stage.arguments + ["--test", "keeper"], in: folder)
            #expect(try await one.end() == 0)
            let stranger = try Program(stage.arguments + ["--test", "kepeer"], in: folder)
            #expect(try await stranger.end() == 64)
            try Data("model: a\noutput: b\nwatch: [c]\n".utf8).write(to: stage.configuration)
            let nobody = try Program(stage.arguments, in: folder)
            #expect(try await nobody.end() == 78)
            #expect(nobody.said.contains("there are no receivers to send to"))
        }
    }
}
