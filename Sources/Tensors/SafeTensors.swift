import Files
package import Foundation

/// Named tensors and string metadata in one file, in the safetensors format.
///
/// Layout: 8 bytes, little endian, the length N of the header; N bytes of JSON; then the tensors' bytes. The header maps
/// each name to `dtype`, `shape` and `data_offsets` (begin and end, relative to the end of the header), and
/// `__metadata__` to strings. Tensors are contiguous and cover the rest of the file without holes. Written here: F32
/// only, names sorted, so that the same content gives the same bytes. Read here: every `ElementType`, as float32. The
/// header may be at most 16 MiB.
package struct SafeTensors: Sendable {
    /// Strings that travel with the tensors.
    package var metadata: [String: String]
    /// The tensors by name.
    package var tensors: [String: Tensor]

    /// Gathers what shall be written.
    package init(metadata: [String: String] = [:], tensors: [String: Tensor] = [:]) {
        self.metadata = metadata
        self.tensors = tensors
    }

    private struct Entry: Codable {
        let dtype: String
        let shape: [Int]
        let data_offsets: [Int]
    }

    private static let headerLimit = 16 << 20

    /// Reads a file, checking every length before it is used.
    package init(path: String) throws(SafeTensorsError) {
        let data: Data
        do { data = try Data(contentsOf: URL(filePath: path), options: .mappedIfSafe) } catch {
            throw SafeTensorsError(
                code: .cannotRead,
                path: path,
                detail: "cannot be read; check the path and its permissions"
            )
        }
        try self.init(data: data, path: path)
    }

    /// Reads a file's bytes; `path` is for messages.
    package init(data: Data, path: String) throws(SafeTensorsError) {
        func refuse(_ code: SafeTensorsError.Code, _ detail: String) -> SafeTensorsError {
            SafeTensorsError(code: code, path: path, detail: detail)
        }
        guard data.count >= 8 else {
            throw refuse(.wrongLength, "a file of \(data.count) bytes has no header")
        }
        guard data.count == 8 || data.dropFirst(8).first == UInt8(ascii: "{") else {
            throw refuse(.notSafeTensors, "is not a safetensors file")
        }
        let length = data.prefix(8).reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        guard length <= Self.headerLimit, data.count - 8 >= Int(length) else {
            throw refuse(.wrongLength, "the header should have \(length) bytes, the file has \(data.count)")
        }
        let body = data.dropFirst(8 + Int(length))
        let parsed = try? JSONSerialization.jsonObject(with: data.dropFirst(8).prefix(Int(length)))
        guard let header = parsed as? [String: Any] else {
            throw refuse(.damagedHeader, "the header is not a JSON object")
        }
        self.init()
        if let strings = header["__metadata__"] {
            guard let strings = strings as? [String: String] else {
                throw refuse(.damagedHeader, "__metadata__ does not map strings to strings")
            }
            metadata = strings
        }
        tensors = try Self.tensors(header, body: body, refuse: refuse)
    }

    /// Checks every entry and that together they cover the file, then reads them.
    private static func tensors(
        _ header: [String: Any],
        body: Data,
        refuse: (SafeTensorsError.Code, String) -> SafeTensorsError
    ) throws(SafeTensorsError) -> [String: Tensor] {
        var covered = 0
        var entries: [(name: String, type: ElementType, entry: Entry)] = []
        for (name, value) in header where name != "__metadata__" {
            guard let entry = entry(value) else {
                throw refuse(.damagedHeader, "the entry of '\(name)' is not type, shape and offsets")
            }
            let type = try check(entry, name: name, length: body.count, refuse: refuse)
            covered += entry.data_offsets[1] - entry.data_offsets[0]
            // Entries that overlap could otherwise claim far more than the file has.
            guard covered <= body.count else { break }
            entries.append((name, type, entry))
        }
        guard covered == body.count else {
            throw refuse(
                .wrongLength,
                "the tensors take \(covered) bytes, the file has \(body.count) for them"
            )
        }
        var tensors: [String: Tensor] = [:]
        for (name, type, entry) in entries {
            let range = entry.data_offsets[0]..<entry.data_offsets[1]
            let bytes = [UInt8](body.dropFirst(range.lowerBound).prefix(range.count))
            tensors[name] = unsafe Tensor(type.floats(in: bytes.span.bytes), shape: entry.shape)
        }
        return tensors
    }

    private static func entry(_ value: Any) -> Entry? {
        guard let fields = value as? [String: Any], let type = fields["dtype"] as? String,
            let shape = fields["shape"] as? [Int], let offsets = fields["data_offsets"] as? [Int],
            offsets.count == 2, offsets[0] >= 0, offsets[0] <= offsets[1]
        else { return nil }
        return Entry(dtype: type, shape: shape, data_offsets: offsets)
    }

    private static func check(
        _ entry: Entry,
        name: String,
        length: Int,
        refuse: (SafeTensorsError.Code, String) -> SafeTensorsError
    ) throws(SafeTensorsError) -> ElementType {
        guard let type = ElementType(rawValue: entry.dtype) else {
            let known = ElementType.allCases.map(\.rawValue).joined(separator: ", ")
            throw refuse(.unfitTensor, "'\(name)' is of type \(entry.dtype); \(known) can be read")
        }
        var bytes = type.width
        for length in entry.shape {
            let (product, overflow) = bytes.multipliedReportingOverflow(by: length)
            guard length >= 0, !overflow else {
                throw refuse(.damagedHeader, "'\(name)' has an absurd shape")
            }
            bytes = product
        }
        guard entry.data_offsets[1] <= length, entry.data_offsets[1] - entry.data_offsets[0] == bytes
        else {
            throw refuse(.wrongLength, "'\(name)' should have \(bytes) bytes, which the file does not hold")
        }
        return type
    }

    /// The file's bytes.
    package func encoded() throws -> Data {
        var header: [String: Any] = [:]
        if !metadata.isEmpty { header["__metadata__"] = metadata }
        var offset = 0
        let names = tensors.keys.sorted()
        for name in names {
            guard let tensor = tensors[name] else { continue }
            let end = offset + tensor.count * 4
            header[name] =
                ["dtype": "F32", "shape": tensor.shape, "data_offsets": [offset, end]] as [String: Any]
            offset = end
        }
        var json = try JSONSerialization.data(
            withJSONObject: header,
            options: [.sortedKeys, .withoutEscapingSlashes]
        )
        // The format lets the header end in spaces; eight-byte alignment of the tensors lets others map the file.
        json.append(Data(repeating: UInt8(ascii: " "), count: (8 - json.count % 8) % 8))
        var data = Data(capacity: 8 + json.count + offset)
        for shift in 0..<8 { data.append(UInt8(truncatingIfNeeded: json.count >> (8 * shift))) }
        data.append(json)
        for name in names {
            let words = (tensors[name]?.values ?? []).map(\.bitPattern.littleEndian)
            unsafe words.withUnsafeBytes { unsafe data.append(contentsOf: $0) }
        }
        return data
    }

    /// Writes the file so that a crash leaves the old one or the new one.
    package func write(path: String) throws(SafeTensorsError) {
        do {
            try OutputFile.write(encoded(), to: path)
        } catch {
            throw SafeTensorsError(code: .cannotWrite, path: path, detail: "is not written. \(error)")
        }
    }
}

/// Why a safetensors file was refused.
package struct SafeTensorsError: Error, Sendable, Equatable, CustomStringConvertible {
    /// What kind of refusal.
    package enum Code: Sendable, Equatable {
        /// The file could not be opened or read.
        case cannotRead
        /// The file could not be written.
        case cannotWrite
        /// The file is of another kind.
        case notSafeTensors
        /// The file ends before what its header promises, or goes on after it.
        case wrongLength
        /// The header is not what the format asks for.
        case damagedHeader
        /// A tensor that should be there is not, or has another shape or type.
        case unfitTensor
    }

    /// What kind of refusal.
    package let code: Code
    /// The file.
    package let path: String
    /// What is wrong, in words.
    package let detail: String

    /// A sentence that names file and fault.
    package var description: String { "\(path): \(detail)" }
}
