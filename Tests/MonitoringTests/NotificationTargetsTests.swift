import Foundation
import Plate
import Reporting
import TestSupport
import Testing

@testable import Monitoring

/// `notify.targets` of a configuration.
struct NotificationTargetsTests {
    private static let least = "model: m.safetensors\noutput: out\nwatch: [in]\n"

    private func load(_ targets: String, in folder: URL) throws -> [NotificationTarget] {
        let path = folder.appending(path: "plate.yaml")
        let indented = targets.split(separator: "\n").map { "    \($0)\n" }.joined()
        try Data("\(Self.least)notify:\n  targets:\n\(indented)".utf8).write(to: path)
        return try Configuration.load(path: path.path).notifyTargets
    }

    @Test func everyWayIsRead() async throws {
        try await withTemporaryFolder { folder in
            let targets = try load(
                """
                chat:
                  webhook: https://example.org/hook?a=1
                  secret: credentials/chat
                  events: [ONSET, STOP-ADVISED]
                operator: {mail: one@example.org}
                relay: {mail: [one@example.org, root], smtp: "smtps://mail:465", user: me, password: /p, from: a@b}
                lab: {mqtt: broker.example.org, topic: lab/autoqc, user: me, password: p, tls: true, events: all}
                pager: {command: [/usr/local/bin/page, --now]}
                """,
                in: folder
            )
            let here = folder.path
            #expect(
                targets == [
                    NotificationTarget(
                        name: "chat",
                        way: .webhook(
                            .init(url: "https://example.org/hook?a=1", secret: "\(here)/credentials/chat")
                        ),
                        events: [.onset, .stopAdvised]
                    ),
                    NotificationTarget(
                        name: "operator",
                        way: .mail(
                            .init(
                                to: ["one@example.org"],
                                from: "autoqc@\(ProcessInfo.processInfo.hostName)",
                                program: "/usr/sbin/sendmail",
                                smtp: nil
                            )
                        )
                    ),
                    NotificationTarget(
                        name: "relay",
                        way: .mail(
                            .init(
                                to: ["one@example.org", "root"],
                                from: "a@b",
                                program: "/usr/sbin/sendmail",
                                smtp: .init(server: "smtps://mail:465", user: "me", password: "/p")
                            )
                        )
                    ),
                    NotificationTarget(
                        name: "lab",
                        way: .mqtt(
                            .init(
                                broker: .init(
                                    server: "broker.example.org",
                                    user: "me",
                                    password: "\(here)/p"
                                ),
                                topic: "lab/autoqc",
                                tls: true
                            )
                        )
                    ),
                    NotificationTarget(name: "pager", way: .command(["/usr/local/bin/page", "--now"])),
                ]
            )
        }
    }

    @Test(arguments: [
        ("chat: 3", 6, "notify.targets.chat", "`key: value`"),
        ("chat: {}", 6, "notify.targets.chat", "one of command, mail, mqtt, webhook"),
        ("chat: {webhook: http://a, command: [/b]}", 6, "notify.targets.chat", "several ways"),
        ("chat:\n  webhok: http://a", 6, "notify.targets.chat", "says no way"),
        ("chat:\n  webhook: http://a\n  secrt: b", 8, "notify.targets.chat.secrt", "`secret`"),
        ("chat:\n  webhook: http://a\n  topic: b", 8, "notify.targets.chat.topic", "no such key"),
        ("chat: {webhook: ftp://a}", 6, "notify.targets.chat.webhook", "a web address"),
        ("chat: {webhook: \"http://a\\nheader: b\"}", 6, "notify.targets.chat.webhook", "a web address"),
        ("chat: {webhook: http://a, events: [ONSETS]}", 6, "notify.targets.chat.events", "ONSET, CLEAR"),
        ("chat: {webhook: http://a, events: []}", 6, "notify.targets.chat.events", "ONSET, CLEAR"),
        ("chat: {mail: [\"a@b, c@d\"]}", 6, "notify.targets.chat.mail", "mail addresses"),
        ("chat: {mail: \"-oQ/tmp\"}", 6, "notify.targets.chat.mail", "mail addresses"),
        ("chat: {mail: a@b, smtp: mail:25}", 6, "notify.targets.chat.smtp", "smtp://"),
        ("chat: {mqtt: broker}", 6, "notify.targets.chat", "`topic` is missing"),
        ("chat: {mqtt: \"broker:0\", topic: a}", 6, "notify.targets.chat.mqtt", "HOST:PORT"),
        ("chat: {mqtt: broker, topic: \"a/#\"}", 6, "notify.targets.chat.topic", "without +"),
        ("chat: {mqtt: broker, topic: a, tls: maybe}", 6, "notify.targets.chat.tls", "true or false"),
        ("chat: {command: [page]}", 6, "notify.targets.chat.command", "whole path"),
        ("chat: {command: []}", 6, "notify.targets.chat.command", "whole path"),
        ("\"a b\": {command: [/a]}", 6, "notify.targets.a b", "letters, digits"),
    ])
    func mistakesAreNamedWithTheirLine(text: String, line: Int, key: String, words: String) async throws {
        try await withTemporaryFolder { folder in
            let error = #expect(throws: ConfigurationError.self) { try load(text, in: folder) }
            #expect(error?.line == line && error?.key == key, "\(error?.description ?? "")")
            #expect(error?.description.contains(words) == true, "\(error?.description ?? "")")
        }
    }

    @Test func allMistakesAreNamedAtOnce() async throws {
        try await withTemporaryFolder { folder in
            let error = #expect(throws: ConfigurationError.self) {
                try load(
                    "one: {mail: 3 4}\ntwo: {mqtt: b}\nthree:\n  webhook: http://a\n  tok: b",
                    in: folder
                )
            }
            let lines = error?.description.split(separator: "\n") ?? []
            #expect(lines.count == 3)
            for (line, name) in zip(
                lines,
                ["6: notify.targets.one", "7: notify.targets.two", "10: notify.targets.three"]
            ) {
                #expect(line.contains(name))
            }
        }
    }
}
