/// The bytes of a pickle, read once from front to back; every read is checked against the end.
struct PickleReader {
    private let bytes: [UInt8]
    private let path: String
    /// Where the next read begins.
    private(set) var position = 0

    init(_ bytes: [UInt8], path: String) {
        self.bytes = bytes
        self.path = path
    }

    mutating func byte() throws(CheckpointError) -> UInt8 {
        guard position < bytes.count else { throw ended() }
        position += 1
        return bytes[position - 1]
    }

    /// The next `count` bytes.
    mutating func take(_ count: UInt64) throws(CheckpointError) -> ArraySlice<UInt8> {
        guard count <= UInt64(bytes.count - position) else { throw ended() }
        position += Int(count)
        return bytes[(position - Int(count))..<position]
    }

    /// A little-endian number of `width` bytes, at most 8.
    mutating func number(width: UInt64) throws(CheckpointError) -> UInt64 {
        try take(width).reversed().reduce(0) { $0 << 8 | UInt64($1) }
    }

    /// Text up to a line feed, which is taken too; names longer than 1024 bytes are refused.
    mutating func line() throws(CheckpointError) -> String {
        guard let end = bytes[position...].prefix(1025).firstIndex(of: 0x0A) else { throw ended() }
        let text = try text(bytes[position..<end])
        position = end + 1
        return text
    }

    /// The next `count` bytes as UTF-8.
    mutating func text(count: UInt64) throws(CheckpointError) -> String { try text(try take(count)) }

    private func text(_ bytes: ArraySlice<UInt8>) throws(CheckpointError) -> String {
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw CheckpointError(
                code: .damaged,
                path: path,
                detail: "data.pkl has text that is not UTF-8 before byte \(position)"
            )
        }
        return text
    }

    private func ended() -> CheckpointError {
        CheckpointError(
            code: .damaged,
            path: path,
            detail: "data.pkl ends inside what begins before byte \(position)"
        )
    }
}
