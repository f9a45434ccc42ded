import Foundation

/// Where the live page listens, and to whom it answers.
package struct WebSettings: Sendable, Equatable {
    /// How many wells the plate has.
    package enum PlateFormat: String, Sendable, CaseIterable {
        /// The smallest that holds the wells seen.
        case auto
        /// 8 rows by 12 columns.
        case wells96 = "96"
        /// 16 rows by 24 columns.
        case wells384 = "384"
        /// 32 rows by 48 columns.
        case wells1536 = "1536"
    }

    /// Name or address of the interface, for example `127.0.0.1`.
    package let host: String
    /// TCP port; 0 for any that is free.
    package let port: Int
    /// What a browser has to bring; `nil` for nothing.
    package let token: String?
    /// How many wells the map shows.
    package let plate: PlateFormat

    /// Where the page listens unless told otherwise.
    package static let standardAddress = "127.0.0.1:8764"
    /// Stands for a token that the page's process finds in the folder of its credentials.
    package static let credential = "credential"
    /// Shortest token.
    package static let shortestToken = 16

    /// Reads `HOST:PORT`, `[IPV6]:PORT` or a port alone, which is one of 127.0.0.1.
    ///
    /// Throws where the address cannot be read, a token is too short, or the address is not this machine's alone and
    /// there is no token.
    package init(listen: String, token: String? = nil, plate: PlateFormat = .auto) throws(WebSettingsError) {
        let colon = listen.lastIndex(of: ":")
        let name = colon.map { String(listen[..<$0]) } ?? "127.0.0.1"
        let number = colon.map { listen[listen.index(after: $0)...] } ?? listen[...]
        guard let port = Int(number), (0...65_535).contains(port), !name.isEmpty else {
            throw WebSettingsError(
                isAboutToken: false,
                problem: "\(listen) is no address to listen on",
                remedy: "write it like \(Self.standardAddress)"
            )
        }
        host = name.hasPrefix("[") && name.hasSuffix("]") ? String(name.dropFirst().dropLast()) : name
        self.port = port
        self.token = token
        self.plate = plate
        try checkToken()
    }

    /// The same with the token that stands in a file, where the settings say so; blanks around it do not count.
    package func withCredential(in file: String?) throws(WebSettingsError) -> WebSettings {
        guard token == Self.credential else { return self }
        guard let file, let text = try? String(contentsOfFile: file, encoding: .utf8) else {
            throw WebSettingsError(
                isAboutToken: true,
                problem: "the token is a credential, and \(file ?? "no folder of credentials") can be read",
                remedy: "start the page by its unit, with LoadCredential=web.token:FILE"
            )
        }
        let token = text.trimmingCharacters(in: .whitespacesAndNewlines)
        let address = host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
        return try WebSettings(listen: address, token: token, plate: plate)
    }

    /// Whether only programs on this machine can reach it.
    package var isLoopback: Bool { Self.isLoopback(host) }

    /// Whether a name or an address is this machine's own.
    package static func isLoopback(_ host: String) -> Bool {
        if ["localhost", "::1"].contains(host) { return true }
        let bytes = host.split(separator: ".", omittingEmptySubsequences: false).compactMap { UInt8($0) }
        return bytes.count == 4 && bytes[0] == 127 && host.allSatisfy { $0.isNumber || $0 == "." }
    }

    private func checkToken() throws(WebSettingsError) {
        if token == Self.credential { return }
        if let token {
            guard token.count >= Self.shortestToken, token.allSatisfy({ $0.isASCII && !$0.isWhitespace })
            else {
                throw WebSettingsError(
                    isAboutToken: true,
                    problem: "the token is too easy to guess, or cannot be typed",
                    remedy:
                        "write at least \(Self.shortestToken) letters and digits, as `openssl rand -hex 16` prints"
                )
            }
        } else if !isLoopback {
            throw WebSettingsError(
                isAboutToken: true,
                problem: "\(host) can be reached from other machines, and there is no token",
                remedy: "set `web.token`, or listen on 127.0.0.1 and use an SSH tunnel"
            )
        }
    }
}

/// An address or a token for the live page that cannot be used.
package struct WebSettingsError: Error, Sendable, Equatable, CustomStringConvertible {
    /// Whether the token is wrong; otherwise the address is.
    package let isAboutToken: Bool
    /// What is wrong.
    package let problem: String
    /// What to do about it.
    package let remedy: String

    /// One sentence.
    package var description: String { "\(problem); \(remedy)." }
}
