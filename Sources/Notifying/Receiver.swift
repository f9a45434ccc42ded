import Digests
import Foundation
import Plate
import Reporting
import Systemd

/// What became of an attempt to deliver a message.
enum DeliveryOutcome: Sendable, Equatable {
    /// The receiver has it.
    case delivered
    /// Nobody answers, or refuses everybody: nothing else is tried for a while.
    case unreachable(String)
    /// The receiver could not take this message now; it is tried again, and others meanwhile.
    case failed(String)
    /// The receiver does not want this message.
    case refused(String)
}

/// Delivers messages to a target by a program: curl, sendmail, mosquitto_pub, or one of the admin's own.
///
/// Nothing secret is an argument, as every user of the machine may see those.
struct Receiver: Sendable {
    let target: NotificationTarget
    /// How long a program may take.
    var limit = Duration.seconds(30)
    var now: @Sendable () -> Timestamp = { .now }

    /// One attempt; blocks for as long as it takes.
    func deliver(_ message: Message) -> DeliveryOutcome {
        do {
            return switch target.way {
            case .webhook(let webhook): try post(message, to: webhook)
            case .mail(let mail): try send(message, to: mail)
            case .mqtt(let mqtt): try publish(message, to: mqtt)
            case .command(let words): try run(words, with: message)
            }
        } catch {
            return .unreachable("\(error)")
        }
    }
}

/// The ways.
extension Receiver {
    /// After Standard Webhooks 1.0.0: the signature is of id, time of the attempt and payload.
    private func post(_ message: Message, to webhook: NotificationTarget.Webhook) throws -> DeliveryOutcome {
        let body = message.json
        let seconds = now().nanoseconds / 1_000_000_000
        var headers = [
            "Content-Type: application/json", "User-Agent: autoqc", "webhook-id: \(message.id)",
            "webhook-timestamp: \(seconds)", "Expect:",
        ]
        if let path = webhook.secret {
            let signature = try WebhookSignature(secrets: Credential.lines(of: path), path: path)
            headers.append("webhook-signature: \(signature.sign(body, id: message.id, seconds: seconds))")
        }
        if let path = webhook.token {
            headers.append("Authorization: Bearer \(try Credential.line(of: path))")
        }
        var options = headers.map { ("header", $0) }
        options += [("url", webhook.url), ("data-binary", "@-"), ("output", "/dev/null")]
        options += [("write-out", "%{http_code}")]
        let result = try curl(options, input: Data(body.utf8))
        guard result.status == 0 else { return unreachable(result) }
        return Self.outcome(ofHTTP: Int(result.output) ?? 0)
    }

    /// What a status says of this message, and of the receiver.
    static func outcome(ofHTTP status: Int) -> DeliveryOutcome {
        let words = "it answered with HTTP status \(status)"
        switch status {
        case 200..<300: return .delivered
        // Of these the address or the token is to blame, or a server that is in between.
        case 300..<400, 401, 403, 404, 405, 407, 408, 425, 429, 502, 503, 504: return .unreachable(words)
        case 400..<500: return .refused(words)
        default: return .failed(words)
        }
    }

    private func send(_ message: Message, to mail: NotificationTarget.Mail) throws -> DeliveryOutcome {
        let letter = Letter(message, from: mail.from, to: mail.to).bytes
        guard let smtp = mail.smtp else {
            return outcome(try program([mail.program, "-t", "-oi"], input: letter))
        }
        var options = [("url", smtp.server), ("mail-from", mail.from), ("upload-file", "-")]
        options += mail.to.map { ("mail-rcpt", $0) }
        if let user = smtp.user {
            let password = try smtp.password.map { try Credential.line(of: $0) } ?? ""
            options += [("user", "\(user):\(password)"), ("ssl-reqd", "")]
        }
        let result = try curl(options, input: letter)
        return result.status == 0 ? .delivered : unreachable(result)
    }

    private func publish(_ message: Message, to mqtt: NotificationTarget.MQTT) throws -> DeliveryOutcome {
        let parts = mqtt.broker.server.split(separator: ":")
        var words = ["mosquitto_pub", "-h", String(parts[0]), "-t", mqtt.topic, "-q", "1", "-s"]
        words += ["-p", parts.count > 1 ? String(parts[1]) : mqtt.tls ? "8883" : "1883"]
        if mqtt.tls { words += ["--tls-use-os-certs"] }
        var login: [String] = []
        if let user = mqtt.broker.user { login.append("-u \(user)") }
        if let path = mqtt.broker.password { login.append("-P \(try Credential.line(of: path))") }
        let result = try Scratch.with(login, named: "mosquitto_pub") { folder in
            try program(words, input: Data(message.json.utf8), environment: ["XDG_CONFIG_HOME": folder])
        }
        return result.status == 0 ? .delivered : unreachable(result)
    }

    private func run(_ words: [String], with message: Message) throws -> DeliveryOutcome {
        let environment = [
            "AUTOQC_ID": message.id, "AUTOQC_TYPE": message.type, "AUTOQC_MESSAGE": message.summary,
        ]
        return outcome(
            try program(words, input: Data((message.json + "\n").utf8), environment: environment)
        )
    }
}

/// Programs.
extension Receiver {
    private func program(_ words: [String], input: Data, environment: [String: String] = [:]) throws
        -> ProgramResult
    {
        try ChildProgram(words: words, environment: environment).run(input: input, within: limit)
    }

    /// Options go to a file that nobody else may read.
    private func curl(_ options: [(String, String)], input: Data) throws -> ProgramResult {
        let lines = options.map { name, value in
            value.isEmpty ? name : "\(name) = \"\(Self.escaped(value))\""
        }
        // It ends by itself before it is ended, and says why.
        let seconds = limit / .seconds(1) * 0.8
        return try Scratch.with(lines, named: "options") { folder in
            try program(
                [
                    "curl", "--disable", "--globoff", "--silent", "--show-error", "--max-time", "\(seconds)",
                    "--config", "\(folder)/options",
                ],
                input: input
            )
        }
    }

    private static func escaped(_ value: String) -> String {
        value.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"").replacing("\n", with: "\\n")
    }

    /// The exit statuses of sysexits.h: 65 and 67 say that the message is to blame.
    private func outcome(_ result: ProgramResult) -> DeliveryOutcome {
        switch result.status {
        case 0: .delivered
        case 65, 67: .refused(words(result))
        default: .failed(words(result))
        }
    }

    private func unreachable(_ result: ProgramResult) -> DeliveryOutcome { .unreachable(words(result)) }

    private func words(_ result: ProgramResult) -> String {
        let end =
            result.isTimedOut
            ? "took longer than \(limit.components.seconds) s" : "ended with status \(result.status)"
        let said = result.errors.split(separator: "\n").last.map { ": \(printableName(String($0)))" } ?? ""
        return "\(target.program) \(end)\(said.prefix(300))"
    }
}

/// The signature of Standard Webhooks 1.0.0.
struct WebhookSignature {
    private let keys: [Data]

    /// Takes secrets, `whsec_` and base64 each; several are for a time of change.
    init(secrets: [String], path: String) throws {
        keys = try secrets.map { secret in
            let prefix = "whsec_"
            guard secret.hasPrefix(prefix),
                let key = Data(base64Encoded: String(secret.dropFirst(prefix.count))),
                !key.isEmpty
            else {
                throw NotificationError(
                    "\(path) holds no secret; write `whsec_` and base64, as `echo whsec_$(openssl rand -base64 32)` prints"
                )
            }
            return key
        }
    }

    /// The value of `webhook-signature`.
    func sign(_ body: String, id: String, seconds: Int64) -> String {
        keys.map { key in
            let content = Data("\(id).\(seconds).\(body)".utf8)
            return "v1," + Digest.authenticationCode(of: content, key: key).base64EncodedString()
        }.joined(separator: " ")
    }
}

/// Secrets in files.
enum Credential {
    private static let longest = 64 << 10

    /// The lines of a file that are not empty.
    ///
    /// Under systemd the unit's credential of the same name is read instead: only root has to be able to read the file.
    static func lines(of path: String) throws -> [String] {
        let name = path.split(separator: "/").last.map(String.init) ?? path
        let folder = ProcessInfo.processInfo.environment["CREDENTIALS_DIRECTORY"]
        let credential = folder.map { "\($0)/notify_\(name)" }
        let file = credential.flatMap { FileManager.default.isReadableFile(atPath: $0) ? $0 : nil } ?? path
        guard let handle = FileHandle(forReadingAtPath: file), let data = try handle.read(upToCount: longest)
        else {
            throw NotificationError(
                "\(path) cannot be read, or is empty; under systemd, put it into /etc/autoqc/credentials"
            )
        }
        let lines = String(decoding: data, as: UTF8.self).split(whereSeparator: \.isNewline)
            .map { $0.trimmingCharacters(in: .whitespaces) }.filter { !$0.isEmpty }
        guard !lines.isEmpty else { throw NotificationError("\(path) is empty; write the secret into it") }
        return lines
    }

    static func line(of path: String) throws -> String { try lines(of: path)[0] }
}

/// A mail of plain text (RFC 5322).
struct Letter {
    /// The whole of it, as `sendmail -t` takes it.
    let bytes: Data

    init(_ message: Message, from: String, to: [String]) {
        let host = ProcessInfo.processInfo.hostName
        let text = "\(message.summary)\n\n\(message.text)\nsource: \(message.source)\nid: \(message.id)\n"
        let body = Data(text.utf8).base64EncodedString(options: [
            .lineLength76Characters, .endLineWithLineFeed,
        ])
        let headers = [
            "From: \(from)", "To: \(to.joined(separator: ", "))",
            "Subject: \(Self.encoded("[autoqc] \(message.summary)"))", "Date: \(Self.date(message.time))",
            // The same for each attempt, so that mail programs show it once.
            "Message-ID: <\(message.id)@\(host)>", "Auto-Submitted: auto-generated", "MIME-Version: 1.0",
            "Content-Type: text/plain; charset=utf-8", "Content-Transfer-Encoding: base64",
        ]
        bytes = Data((headers.joined(separator: "\n") + "\n\n" + body + "\n").utf8)
    }

    /// Words of 45 bytes at most, each on a line of its own (RFC 2047); whole characters, cut off after some lines.
    private static func encoded(_ text: String) -> String {
        var words: [[UInt8]] = [[]]
        for scalar in text.unicodeScalars.prefix(200) {
            let bytes = Array(String(scalar).utf8)
            if words[words.count - 1].count + bytes.count > 45 { words.append([]) }
            words[words.count - 1] += bytes
        }
        return words.map { "=?utf-8?B?\(Data($0).base64EncodedString())?=" }.joined(separator: "\n ")
    }

    private static func date(_ time: Timestamp) -> String {
        let formatter = DateFormatter()
        formatter.locale = Locale(identifier: "en_US_POSIX")
        formatter.timeZone = TimeZone(secondsFromGMT: 0)
        formatter.dateFormat = "EEE, dd MMM yyyy HH:mm:ss +0000"
        return formatter.string(from: Date(timeIntervalSince1970: Double(time.nanoseconds) / 1e9))
    }
}
