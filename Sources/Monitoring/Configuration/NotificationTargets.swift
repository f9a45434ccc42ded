import Foundation
import Plate
import Reporting
import StrictYAML

/// Reads `notify.targets`: a group of keys for each receiver, under its name.
struct NotificationTargets {
    private(set) var targets: [NotificationTarget] = []
    private(set) var problems: [YAMLProblem] = []

    private static let section = "notify.targets"
    /// The keys that name a way, and those that may stand beside each.
    private static let ways: [String: Set<String>] = [
        "webhook": ["secret", "token"],
        "mail": ["from", "program", "smtp", "user", "password"],
        "mqtt": ["topic", "user", "password", "tls"],
        "command": [],
    ]

    init(_ node: YAMLNode, folder: String) {
        guard let mapping = node.mapping else {
            problems = [.noKeys(node, in: Self.section)]
            return
        }
        for (name, value) in mapping {
            var reader = TargetReader(name: name, value, folder: folder, ways: Self.ways)
            if let target = reader.read() { targets.append(target) }
            problems += reader.problems
        }
    }
}

/// Reads the keys of one receiver.
private struct TargetReader {
    private(set) var problems: [YAMLProblem] = []
    private let name: String
    private let nameNode: YAMLNode
    private let node: YAMLNode
    private let folder: String
    private let ways: [String: Set<String>]
    private var keys: [String: (name: YAMLNode, value: YAMLNode)] = [:]

    init(name: YAMLNode, _ node: YAMLNode, folder: String, ways: [String: Set<String>]) {
        self.name = name.string ?? "?"
        (nameNode, self.node, self.folder, self.ways) = (name, node, folder, ways)
    }

    mutating func read() -> NotificationTarget? {
        guard let mapping = node.mapping else {
            problems.append(.noKeys(node, in: path("")))
            return nil
        }
        guard !name.isEmpty, name.utf8.count <= 64,
            name.utf8.allSatisfy({ $0.isLetterOrDigit || "-_.".utf8.contains($0) })
        else {
            refuse(nil, "\"\(name.prefix(80))\" cannot be its name", "write letters, digits and `-_.`")
            return nil
        }
        for (key, value) in mapping { keys[key.string ?? "?"] = (key, value) }
        let named = ways.keys.filter { keys[$0] != nil }.sorted()
        guard let way = named.first, named.count == 1 else {
            let problem = named.isEmpty ? "it says no way" : "it says several ways"
            refuse(nil, problem, "write one of \(ways.keys.sorted().joined(separator: ", "))")
            return nil
        }
        refuseUnknownKeys(beside: way)
        let events = events()
        guard let found = self.way(way), problems.isEmpty else { return nil }
        return NotificationTarget(name: name, way: found, events: events)
    }

    private mutating func refuseUnknownKeys(beside way: String) {
        let known = (ways[way] ?? []).union([way, "events"])
        for (key, nodes) in keys.sorted(by: { $0.key < $1.key }) where !known.contains(key) {
            let nearest = NearestName.of(key, among: known.sorted())
            problems.append(.unknownKey(path(key), line: nodes.name.line, nearest: nearest))
        }
    }

    private mutating func events() -> Set<Event.Kind> {
        let all = Event.Kind.allCases
        guard let node = keys["events"]?.value, node.string != "all" else { return Set(all) }
        let kinds = node.sequence?.map { $0.string.flatMap { Event.Kind(rawValue: $0) } } ?? []
        guard !kinds.isEmpty, !kinds.contains(nil) else {
            let names = all.map(\.rawValue).joined(separator: ", ")
            refuse("events", "\(node.words) cannot be its value", "write `all`, or a list of \(names)")
            return []
        }
        return Set(kinds.compactMap(\.self))
    }

    private mutating func way(_ way: String) -> NotificationTarget.Way? {
        switch way {
        case "webhook": webhook()
        case "mail": mail()
        case "mqtt": mqtt()
        default: command()
        }
    }

    private mutating func webhook() -> NotificationTarget.Way? {
        let url = text("webhook", "a web address, for example https://example.org/hook") {
            Self.isAddress($0, of: ["http", "https"])
        }
        let (secret, token) = (file("secret"), file("token"))
        return url.map { .webhook(.init(url: $0, secret: secret, token: token)) }
    }

    private mutating func mail() -> NotificationTarget.Way? {
        let words = "a list of mail addresses"
        let to = list("mail", words, Self.isMailAddress)
        let from =
            keys["from"] == nil
            ? "autoqc@\(ProcessInfo.processInfo.hostName)"
            : text("from", "a mail address", Self.isMailAddress) ?? ""
        let program = keys["program"] == nil ? "/usr/sbin/sendmail" : file("program") ?? ""
        let server =
            keys["smtp"] == nil
            ? nil
            : text("smtp", "the address of a mail server, for example smtp://localhost:25") {
                Self.isAddress($0, of: ["smtp", "smtps"])
            }
        let smtp = server.map { login($0) }
        return to.map { .mail(.init(to: $0, from: from, program: program, smtp: smtp)) }
    }

    private mutating func mqtt() -> NotificationTarget.Way? {
        let broker = text("mqtt", "a broker, HOST or HOST:PORT") { Self.isHost($0) }
        let topic = text("topic", "a topic without + and #, for example lab/autoqc") {
            !$0.isEmpty && !$0.contains { "+#\0\n".contains($0) } && !$0.hasPrefix("-")
        }
        var tls = false
        if let node = keys["tls"]?.value {
            if let value = node.bool {
                tls = value
            } else {
                refuse("tls", "\(node.words) cannot be its value", "write true or false")
            }
        }
        guard let broker, let topic else { return nil }
        return .mqtt(.init(broker: login(broker), topic: topic, tls: tls))
    }

    private mutating func command() -> NotificationTarget.Way? {
        list("command", "a list of a program with its whole path, and its arguments") {
            !$0.contains("\0")
        }.flatMap { words in
            guard words[0].hasPrefix("/") else {
                refuse("command", "\"\(words[0].prefix(80))\" is no whole path", "write it from / on")
                return nil
            }
            return .command(words)
        }
    }

    private mutating func login(_ server: String) -> NotificationTarget.Login {
        let isGiven = keys["user"] != nil
        let user =
            isGiven
            ? text("user", "a name on one line") { !$0.isEmpty && $0.allSatisfy { !$0.isNewline } } : nil
        return .init(server: server, user: user, password: file("password"))
    }
}

extension TargetReader {
    private func path(_ key: String) -> String {
        "notify.targets.\(name)" + (key.isEmpty ? "" : ".\(key)")
    }

    private mutating func refuse(_ key: String?, _ problem: String, _ remedy: String) {
        problems.append(
            YAMLProblem(
                line: (key.flatMap { keys[$0]?.name } ?? nameNode).line,
                key: path(key ?? ""),
                problem: problem,
                remedy: remedy
            )
        )
    }

    private mutating func text(_ key: String, _ words: String, _ allows: (String) -> Bool) -> String? {
        guard let node = keys[key]?.value else {
            refuse(nil, "`\(key)` is missing", "write \(words)")
            return nil
        }
        guard let text = node.string, allows(text) else {
            refuse(key, "\(node.words) cannot be its value", "write \(words)")
            return nil
        }
        return text
    }

    private mutating func list(_ key: String, _ words: String, _ allows: (String) -> Bool) -> [String]? {
        guard let node = keys[key]?.value else { return nil }
        let texts = node.sequence?.map(\.string) ?? node.string.map { [$0] } ?? []
        guard !texts.isEmpty, texts.allSatisfy({ $0.map(allows) == true }) else {
            refuse(key, "\(node.words) cannot be its value", "write \(words)")
            return nil
        }
        return texts.compactMap(\.self)
    }

    /// A path; relative ones are relative to the configuration's folder.
    private mutating func file(_ key: String) -> String? {
        guard let node = keys[key]?.value else { return nil }
        guard let path = ValueKind<String>.path.read(node, folder), !path.isEmpty, !path.contains("\0") else {
            refuse(key, "\(node.words) cannot be its value", "write the path of a file")
            return nil
        }
        return path
    }

    private static func isAddress(_ text: String, of schemes: [String]) -> Bool {
        guard let end = text.range(of: "://"), schemes.contains(String(text[..<end.lowerBound])) else {
            return false
        }
        let rest = text[end.upperBound...]
        return rest.first.map { $0 != "/" } == true && text.utf8.allSatisfy(isPlain)
    }

    /// Printable ASCII that needs no quoting anywhere.
    private static func isPlain(_ byte: UInt8) -> Bool {
        (0x21...0x7E).contains(byte) && !"\"\\<>`".utf8.contains(byte)
    }

    private static func isMailAddress(_ text: String) -> Bool {
        !text.isEmpty && !text.hasPrefix("-") && text.utf8.allSatisfy(isPlain)
            && !text.contains { ",;:()[]".contains($0) }
            && text.count { $0 == "@" } <= 1
    }

    private static func isHost(_ text: String) -> Bool {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        let isName =
            parts.first.map { name in
                !name.isEmpty && name.first != "-"
                    && name.utf8.allSatisfy { $0.isLetterOrDigit || "-.".utf8.contains($0) }
            } ?? false
        return isName && (parts.count == 1 || parts.count == 2 && UInt16(parts[1]).map { $0 > 0 } == true)
    }
}

extension ValueKind<[NotificationTarget]> {
    /// Receivers by their names.
    static var targets: ValueKind {
        ValueKind(
            type: "group of keys for each receiver",
            words: "a group of keys for each receiver",
            read: { NotificationTargets($0, folder: $1).targets },
            // Defaults are written, and there is none.
            write: { $0.isEmpty ? "{}" : "{\($0.map(\.name).joined(separator: ", "))}" },
            problems: { NotificationTargets($0, folder: $1).problems }
        )
    }
}
