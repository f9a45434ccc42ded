import Foundation
import Plate
import Reporting
import TestSupport
import Testing

@testable import Notifying

/// Real programs on the way to a receiver.
struct ReceiverTests {
    private func script(_ text: String, in folder: URL, named name: String = "program") throws -> String {
        let path = folder.appending(path: name)
        try Data("#!/bin/sh\n\(text)\n".utf8).write(to: path)
        try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: path.path)
        return path.path
    }

    private func message() throws -> Message {
        let event = try Sample.event(.onset, frame: 7)
        let delivery = Delivery(
            number: 1,
            event: event.id,
            lane: "",
            kind: event.kind.rawValue,
            time: event.time,
            summary: event.message,
            data: event.data
        )
        return Message([delivery], id: event.id, source: "here")
    }

    private func receiver(_ way: NotificationTarget.Way, within limit: Duration = .seconds(600)) -> Receiver {
        Receiver(target: NotificationTarget(name: "chat", way: way), limit: limit)
    }

    @Test func aCommandGetsTheEventOnStandardInput() async throws {
        try await withTemporaryFolder { folder in
            let out = folder.appending(path: "out").path
            let program = try script(
                "cat > '\(out)'; echo \"$1 $AUTOQC_TYPE $AUTOQC_ID\" >> '\(out)'",
                in: folder
            )
            let message = try message()
            #expect(receiver(.command([program, "an argument"])).deliver(message) == .delivered)
            let lines = try String(contentsOfFile: out, encoding: .utf8).split(separator: "\n")
            #expect(String(lines[0]) == message.json)
            #expect(lines[1] == "an argument autoqc.onset \(message.id)")
        }
    }

    @Test func anExitStatusSaysWhoIsToBlame() async throws {
        try await withTemporaryFolder { folder in
            let program = try script("echo oh >&2; exit $1", in: folder)
            let message = try message()
            let failed = receiver(.command([program, "1"])).deliver(message)
            #expect(failed == .failed("\(program) ended with status 1: oh"))
            guard case .refused = receiver(.command([program, "65"])).deliver(message) else {
                Issue.record("65 is no refusal")
                return
            }
            let missing = receiver(.command(["/nowhere/program"])).deliver(message)
            #expect(missing == .unreachable("/nowhere/program is not there, or may not be run; install it"))
        }
    }

    @Test(.timeLimit(.minutes(10))) func aProgramThatHangsIsEndedWithItsChildren() async throws {
        try await withTemporaryFolder { folder in
            let mark = folder.appending(path: "mark").path
            let program = try script("sleep 3600 & echo $! > '\(mark)'; wait", in: folder)
            let outcome = receiver(.command([program]), within: .seconds(2)).deliver(try message())
            #expect(outcome == .failed("\(program) took longer than 2 s"))
            let child = try String(contentsOfFile: mark, encoding: .utf8)
                .trimmingCharacters(in: .whitespacesAndNewlines)
            let number = try #require(Int32(child))
            // It ends a moment later, and is a zombie until somebody takes its status.
            while let state = try? String(contentsOfFile: "/proc/\(number)/stat", encoding: .utf8),
                !state.contains(") Z ")
            {
                try await Task.sleep(for: .milliseconds(5))
            }
        }
    }

    @Test func aProgramThatReadsNothingAndLeavesChildrenHoldsUpNobody() async throws {
        try await withTemporaryFolder { folder in
            let mark = folder.appending(path: "mark").path
            let program = try script("sleep 3600 & echo $! > '\(mark)'", in: folder)
            #expect(receiver(.command([program])).deliver(try message()) == .delivered)
            let child = try String(contentsOfFile: mark, encoding: .utf8)
            kill(try #require(Int32(child.trimmingCharacters(in: .whitespacesAndNewlines))), SIGKILL)
        }
    }

    @Test func mailIsALetterThatSendmailTakes() async throws {
        try await withTemporaryFolder { folder in
            let out = folder.appending(path: "letter").path
            let program = try script("echo \"$@\" > '\(out)'; cat >> '\(out)'", in: folder, named: "sendmail")
            let mail = NotificationTarget.Mail(
                to: ["one@example.org", "two@example.org"],
                from: "autoqc@microscope",
                program: program,
                smtp: nil
            )
            let message = try message()
            #expect(receiver(.mail(mail)).deliver(message) == .delivered)
            let text = try String(contentsOfFile: out, encoding: .utf8)
            #expect(text.hasPrefix("-t -oi\nFrom: autoqc@microscope\nTo: one@example.org, two@example.org\n"))
            #expect(text.contains("\nMessage-ID: <\(message.id)@"))
            let body = try #require(text.components(separatedBy: "\n\n").last)
            let decoded = try #require(Data(base64Encoded: body, options: .ignoreUnknownCharacters))
            let words = String(decoding: decoded, as: UTF8.self)
            #expect(words.hasPrefix("\(message.summary)\n\nadvice: look at the frame and its mask\n"))
            #expect(words.contains("\nwell: B01\n") && words.contains("\nid: \(message.id)\n"))
        }
    }

    @Test func noNameBecomesAHeader() throws {
        let alarm = Alarm(
            time: Sample.time,
            event: .onset,
            frame: FrameID(run: "a\nBcc: x@example.org\n\nhello", well: try #require(Well("B1")), index: 1),
            model: "m",
            reason: "one\nid: another"
        )
        let event = try #require(Event(alarm))
        let delivery = Delivery(
            number: 1,
            event: event.id,
            lane: "",
            kind: "ONSET",
            time: event.time,
            summary: event.message,
            data: event.data
        )
        let message = Message([delivery], id: event.id, source: "here")
        let letter = String(decoding: Letter(message, from: "a", to: ["b"]).bytes, as: UTF8.self)
        #expect(!letter.contains("Bcc"))
        #expect(message.text.split(separator: "\n").count { $0.hasPrefix("id: ") } == 1)
        #expect(!message.json.contains("\n"))
    }

    @Test func theSignatureIsThatOfStandardWebhooks() throws {
        // Made with PyPI's standardwebhooks 1.1.0.
        let signature = try WebhookSignature(
            secrets: ["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"],
            path: "secret"
        )
        let signed = signature.sign(
            "{\"test\": 2432232314}",
            id: "msg_p5jXN8AQM9LWM0D4loKWxJek",
            seconds: 1_614_265_330
        )
        #expect(signed == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=")
        for wrong in ["MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_", "whsec_%%%"] {
            #expect(throws: NotificationError.self) { try WebhookSignature(secrets: [wrong], path: "secret") }
        }
    }

    @Test func aStatusSaysWhoIsToBlame() {
        let kinds = [200, 204, 301, 400, 401, 404, 410, 413, 422, 429, 500, 502, 503].map { status in
            switch Receiver.outcome(ofHTTP: status) {
            case .delivered: "+"
            case .unreachable: "u"
            case .failed: "f"
            case .refused: "r"
            }
        }
        #expect(kinds.joined() == "++uruurrrufuu")
    }

    @Test func aSecretThatIsMissingSaysWhereItBelongs() async throws {
        try await withTemporaryFolder { folder in
            let path = folder.appending(path: "secret").path
            let webhook = NotificationTarget.Webhook(url: "http://127.0.0.1:9/", secret: path)
            let outcome = receiver(.webhook(webhook)).deliver(try message())
            guard case .unreachable(let reason) = outcome else {
                Issue.record("\(outcome)")
                return
            }
            #expect(reason.hasPrefix("\(path) cannot be read"))
        }
    }
}
