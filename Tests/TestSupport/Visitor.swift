package import Foundation

/// A client that says what a browser says, byte by byte, over a socket.
package struct Visitor: Sendable {
    /// What came back.
    package struct Answer: Sendable {
        /// The status of the answer.
        package let status: Int
        /// Its headers, with names in small letters.
        package let headers: [String: String]
        /// Its body.
        package let body: Data

        /// The body as text.
        package var text: String { String(decoding: body, as: UTF8.self) }

        /// The body as a JSON object.
        package func json() throws -> [String: Any] {
            try JSONSerialization.jsonObject(with: body) as? [String: Any] ?? [:]
        }
    }

    /// Why there is no answer.
    package struct Failure: Error, CustomStringConvertible {
        /// In words.
        package let description: String
    }

    /// The server's port on this machine.
    package let port: Int

    /// Visits a server on this machine.
    package init(port: Int) { self.port = port }

    /// Asks for something.
    package func get(_ path: String, _ headers: [String: String] = [:]) async throws -> Answer {
        try await Self.aside { try ask("GET", path, headers, body: nil) }
    }

    /// Sends JSON.
    package func post(_ path: String, _ body: String, _ headers: [String: String] = [:]) async throws
        -> Answer
    {
        let type = ["Content-Type": "application/json"]
        return try await Self.aside { try ask("POST", path, type.merging(headers) { $1 }, body: body) }
    }

    /// Does something that waits: a visitor must not hold a thread that the server needs.
    package static func aside<Value: Sendable>(_ body: @escaping @Sendable () throws -> Value) async throws
        -> Value
    {
        try await withCheckedThrowingContinuation { continuation in
            DispatchQueue.global().async { continuation.resume(with: Result { try body() }) }
        }
    }

    /// Reads from an answer that does not end, until it holds a text.
    package func listen(
        to path: String,
        until text: String,
        meanwhile: @escaping @Sendable () throws -> Void
    ) async throws -> String {
        try await Self.aside {
            let socket = try Socket(port: port)
            try socket.ask(path)
            var heard = try socket.read(until: "event: plate")
            try meanwhile()
            if !heard.contains(text) { heard += try socket.read(until: text) }
            return heard
        }
    }

    private func ask(_ method: String, _ path: String, _ headers: [String: String], body: String?) throws
        -> Answer
    {
        let socket = try Socket(port: port)
        var lines = ["\(method) \(path) HTTP/1.1", "Connection: close"]
        let all = ["Host": "127.0.0.1:\(port)"].merging(headers) { $1 }
        lines += all.map { "\($0.key): \($0.value)" }
        if let body { lines.append("Content-Length: \(body.utf8.count)") }
        try socket.send(lines.joined(separator: "\r\n") + "\r\n\r\n" + (body ?? ""))
        return try Self.parse(socket.readAll())
    }

    private static func parse(_ data: Data) throws -> Answer {
        guard let end = data.range(of: Data("\r\n\r\n".utf8)) else {
            throw Failure(description: "no answer, but \(String(decoding: data, as: UTF8.self))")
        }
        let head = String(decoding: data[..<end.lowerBound], as: UTF8.self).components(separatedBy: "\r\n")
        var headers: [String: String] = [:]
        for line in head.dropFirst() {
            let parts = line.split(separator: ":", maxSplits: 1).map {
                $0.trimmingCharacters(in: .whitespaces)
            }
            if parts.count == 2 { headers[parts[0].lowercased()] = parts[1] }
        }
        let status = Int(head[0].split(separator: " ").dropFirst().first ?? "") ?? 0
        return Answer(status: status, headers: headers, body: Data(data[end.upperBound...]))
    }
}

/// A TCP connection to this machine.
package final class Socket: Sendable {
    private let descriptor: Int32
    private let port: Int

    /// Connects to a port; another address of this machine, as 127.0.0.2, makes it another client.
    package init(port: Int, from client: String = "127.0.0.1") throws {
        self.port = port
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var own = Self.address(client, port: 0)
        let bound = unsafe withUnsafePointer(to: &own) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                unsafe bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard bound == 0 else { throw Visitor.Failure(description: "cannot be \(client)") }
        var address = Self.address("127.0.0.1", port: port)
        var limit = timeval(tv_sec: 600, tv_usec: 0)
        unsafe setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
        let status = unsafe withUnsafePointer(to: &address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                unsafe connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard status == 0 else { throw Visitor.Failure(description: "cannot connect to port \(port)") }
    }

    deinit { close(descriptor) }

    private static func address(_ address: String, port: Int) -> sockaddr_in {
        var full = sockaddr_in()
        full.sin_family = sa_family_t(AF_INET)
        full.sin_port = in_port_t(UInt16(port)).bigEndian
        full.sin_addr.s_addr = unsafe inet_addr(address)
        return full
    }

    /// Makes the end of the connection a reset, as that of a program that is killed.
    package func breakOff() {
        var now = linger(l_onoff: 1, l_linger: 0)
        unsafe setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &now, socklen_t(MemoryLayout<linger>.size))
    }

    /// Asks for something, and reads nothing.
    package func ask(_ path: String, times: Int = 1) throws {
        let request = "GET \(path) HTTP/1.1\r\nHost: 127.0.0.1:\(port)\r\n\r\n"
        try send(String(repeating: request, count: times))
    }

    /// Sends a text.
    package func send(_ text: String) throws {
        let bytes = Array(text.utf8)
        let count = unsafe bytes.withUnsafeBytes {
            unsafe Foundation.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
        }
        guard count == bytes.count else { throw Visitor.Failure(description: "the request was not taken") }
    }

    /// Waits until the other end closes the connection, and reads nothing.
    package func waitForEnd() throws {
        var wanted = pollfd(fd: descriptor, events: Int16(0x2000), revents: 0)
        guard unsafe poll(&wanted, 1, 600_000) == 1 else {
            throw Visitor.Failure(description: "still connected after ten minutes")
        }
    }

    private func part() throws -> Data? {
        var buffer = [UInt8](repeating: 0, count: 65_536)
        let count = unsafe buffer.withUnsafeMutableBytes {
            unsafe recv(descriptor, $0.baseAddress, $0.count, 0)
        }
        guard count >= 0 else {
            throw Visitor.Failure(description: "no answer: \(unsafe String(cString: strerror(errno)))")
        }
        return count == 0 ? nil : Data(buffer[..<count])
    }

    /// Everything until the other end closes the connection.
    package func readAll() throws -> Data {
        var data = Data()
        while let part = try part() { data += part }
        return data
    }

    /// Everything until a text came.
    package func read(until text: String) throws -> String {
        var data = Data()
        while data.range(of: Data(text.utf8)) == nil {
            guard let part = try part() else { break }
            data += part
        }
        return String(decoding: data, as: UTF8.self)
    }
}
