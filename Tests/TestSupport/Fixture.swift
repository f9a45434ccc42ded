package import Foundation

/// Golden values in one safetensors file: 8 bytes of header length, little-endian, a JSON header, raw values.
package struct Fixture: Sendable {
    /// What can be wrong with a file.
    package struct Failure: Error, CustomStringConvertible {
        /// One sentence.
        package let description: String

        /// Says what is wrong in one sentence.
        package init(description: String) { self.description = description }
    }

    /// An array of any shape, row-major.
    package struct Values<Element: Sendable>: Sendable {
        /// Lengths of the axes.
        package let shape: [Int]
        /// All values.
        package let values: [Element]
    }

    private struct Entry: Decodable {
        let dtype: String
        let shape: [Int]
        let data_offsets: [Int]
    }

    private enum Item: Decodable {
        case tensor(shape: [Int], type: String, range: Range<Int>)
        case metadata

        init(from decoder: any Decoder) throws {
            guard let entry = try? Entry(from: decoder), entry.data_offsets.count == 2,
                entry.data_offsets[0] <= entry.data_offsets[1]
            else {
                self = .metadata
                return
            }
            let range = entry.data_offsets[0]..<entry.data_offsets[1]
            self = .tensor(shape: entry.shape, type: entry.dtype, range: range)
        }
    }

    private let items: [String: Item]
    private let body: Data

    /// Reads `NAME.safetensors` of the golden values, or any file of this kind.
    package init(_ name: String, folder: URL? = TestData.fixtures) throws {
        guard let folder else { throw Failure(description: TestData.missingFixtures) }
        let bytes = try Data(contentsOf: folder.appending(path: "\(name).safetensors"))
        let length = bytes.prefix(8).reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        guard bytes.count >= 8, length <= UInt64(bytes.count - 8) else {
            throw Failure(description: "\(name): the header of \(length) bytes is cut")
        }
        items = try JSONDecoder().decode([String: Item].self, from: bytes[8..<8 + Int(length)])
        body = bytes[(8 + Int(length))...]
    }

    /// Names of the arrays, sorted.
    package var names: [String] { items.keys.filter { $0 != "__metadata__" }.sorted() }

    /// An array of F32.
    package func floats(_ name: String) throws -> Values<Float> {
        try read(name, type: "F32") { Float(bitPattern: UInt32(truncatingIfNeeded: $0)) }
    }

    /// An array of F64.
    package func doubles(_ name: String) throws -> Values<Double> {
        try read(name, type: "F64") { Double(bitPattern: $0) }
    }

    /// An array of I64.
    package func integers(_ name: String) throws -> Values<Int> {
        try read(name, type: "I64") { Int(truncatingIfNeeded: $0) }
    }

    /// An array of U8.
    package func bytes(_ name: String) throws -> Values<UInt8> {
        try read(name, type: "U8") { UInt8(truncatingIfNeeded: $0) }
    }

    private func read<Element>(
        _ name: String,
        type: String,
        _ element: (UInt64) -> Element
    ) throws -> Values<Element> {
        guard case .tensor(let shape, let found, let range) = items[name] else {
            throw Failure(description: "no array \(name)")
        }
        let widths = ["F32": 4, "F64": 8, "I64": 8, "U8": 1]
        let count = shape.reduce(1, *)
        guard found == type, let width = widths[type], range.count == count * width,
            range.upperBound <= body.count
        else { throw Failure(description: "\(name) is not \(shape) of \(type)") }
        let bytes = [UInt8](body.dropFirst(range.lowerBound).prefix(range.count))
        let values = (0..<count).map { index in
            (0..<width).reduce(UInt64(0)) { $0 | UInt64(bytes[index * width + $1]) << UInt64(8 * $1) }
        }
        return Values(shape: shape, values: values.map(element))
    }
}

/// The scalars of the golden values, `expected.json`.
package struct ExpectedValues {
    private let root: Any

    /// Reads the file.
    package init(folder: URL? = TestData.fixtures) throws {
        guard let folder else { throw Fixture.Failure(description: TestData.missingFixtures) }
        root = try JSONSerialization.jsonObject(
            with: Data(contentsOf: folder.appending(path: "expected.json"))
        )
    }

    /// The number at a path of keys.
    package func number(_ keys: String...) throws -> Double {
        guard let number = value(keys) as? NSNumber else { throw missing("number", keys) }
        return number.doubleValue
    }

    /// The numbers at a path of keys; of a list of lists, one after another.
    package func numbers(_ keys: String...) throws -> [Double] {
        func flat(_ value: Any) -> [Double]? {
            if let number = value as? NSNumber { return [number.doubleValue] }
            return (value as? [Any])?.reduce([]) { all, next in
                all.flatMap { all in flat(next).map { all + $0 } }
            }
        }
        guard let list = value(keys) as? [Any], let numbers = flat(list) else { throw missing("list", keys) }
        return numbers
    }

    /// The text at a path of keys.
    package func text(_ keys: String...) throws -> String {
        guard let text = value(keys) as? String else { throw missing("text", keys) }
        return text
    }

    /// The keys of the object at a path of keys, sorted.
    package func keys(_ keys: String...) throws -> [String] {
        guard let object = value(keys) as? [String: Any] else { throw missing("object", keys) }
        return object.keys.sorted()
    }

    private func value(_ keys: [String]) -> Any? {
        keys.reduce(root as Any?) { ($0 as? [String: Any])?[$1] }
    }

    private func missing(_ kind: String, _ keys: [String]) -> Fixture.Failure {
        Fixture.Failure(description: "expected.json has no \(kind) at \(keys.joined(separator: "."))")
    }
}
