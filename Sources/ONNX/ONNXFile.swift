package import Foundation
package import Tensors

/// A file in the ONNX format: a graph of operators with its weights, and strings that travel with them.
///
/// The file is a `ModelProto` in the wire format of Protocol Buffers. Written are `ir_version` 8, operators of set 17, the producer and
/// the metadata, sorted, so that the same content gives the same bytes. Weights are float32 in `raw_data`. Read are metadata and weights only:
/// what this program wrote, the graph included, follows from them.
package struct ONNXFile: Sendable {
    /// Strings that travel with the graph.
    package private(set) var metadata: [String: String] = [:]
    /// The program that wrote the file.
    package private(set) var producer = ""
    private let path: String
    /// The graphs; a file has one.
    private var graphs: [Data.SubSequence] = []

    /// A graph's field that holds weights.
    static let initialiserField = 5
    private static let onnxLayout = [0, 3, 1, 2]
    private static let ownLayout = [0, 2, 3, 1]

    /// The bytes of a file with a graph.
    package static func encoded(_ graph: ONNXGraph, metadata: [String: String], version: String) -> Data {
        var message = MessageWriter()
        message.add(1, 8)
        message.add(2, "autoqc")
        message.add(3, version)
        message.add(7) { graph.write(to: &$0) }
        message.add(8) {
            $0.add(1, "")
            $0.add(2, 17)
        }
        for (key, value) in metadata.sorted(by: { $0.key < $1.key }) {
            message.add(14) {
                $0.add(1, key)
                $0.add(2, value)
            }
        }
        return message.data
    }

    /// A `TensorProto`.
    static func write(_ tensor: Tensor, name: String, to message: inout MessageWriter) {
        let tensor = tensor.shape.count == 4 ? tensor.permuted(onnxLayout) : tensor
        for length in tensor.shape { message.add(1, length) }
        message.add(2, ONNXValue.Element.float.rawValue)
        message.add(8, name)
        var raw = Data(capacity: tensor.count * 4)
        raw.append(littleEndian: tensor.values.map(\.bitPattern))
        message.add(9, raw)
    }

    /// Reads a file's bytes, its weights not yet; `path` is for messages.
    package init(data: Data, path: String) throws(ONNXError) {
        self.path = path
        do { try read(data) } catch { throw ONNXError(path: path, damage: error) }
    }

    private mutating func read(_ data: Data) throws(ONNXError.Damage) {
        var message = MessageReader(data[...])
        var isModel = false
        while let (field, value) = try message.next() {
            switch (field, value) {
            case (1, .number): isModel = true
            case (2, .bytes(let text)): producer = try Self.text(text)
            case (7, .bytes(let graph)): graphs.append(graph)
            case (14, .bytes(let entry)): try readEntry(entry)
            default: break
            }
        }
        guard isModel else { throw .damaged }
    }

    private mutating func readEntry(_ bytes: Data.SubSequence) throws(ONNXError.Damage) {
        var message = MessageReader(bytes)
        var (key, text) = ("", "")
        while let (field, value) = try message.next() {
            guard case .bytes(let bytes) = value else { throw .damaged }
            if field == 1 { key = try Self.text(bytes) }
            if field == 2 { text = try Self.text(bytes) }
        }
        metadata[key] = text
    }

    /// The weights by name; those with four axes are O x KH x KW x I, as everywhere in this program.
    package func weights() throws(ONNXError) -> [String: Tensor] {
        do { return try readWeights() } catch { throw ONNXError(path: path, damage: error) }
    }

    private func readWeights() throws(ONNXError.Damage) -> [String: Tensor] {
        var weights: [String: Tensor] = [:]
        for graph in graphs {
            var message = MessageReader(graph)
            while let (field, value) = try message.next() {
                guard field == Self.initialiserField, case .bytes(let bytes) = value else { continue }
                let (name, tensor) = try Self.tensor(bytes)
                guard weights.updateValue(tensor, forKey: name) == nil else { throw .damaged }
            }
        }
        return weights
    }

    private static func tensor(_ bytes: Data.SubSequence) throws(ONNXError.Damage) -> (String, Tensor) {
        var message = MessageReader(bytes)
        var (name, shape, type, raw) = ("", [Int](), UInt64(0), Data.SubSequence())
        while let (field, value) = try message.next() {
            switch (field, value) {
            case (1, .number(let length)): shape.append(Int(clamping: length))
            case (1, .bytes(let packed)):
                var lengths = MessageReader(packed)
                while !lengths.isAtEnd { shape.append(Int(clamping: try lengths.varint())) }
            case (2, .number(let number)): type = number
            case (8, .bytes(let text)): name = try Self.text(text)
            case (9, .bytes(let values)): raw = values
            default: break
            }
        }
        guard type == UInt64(ONNXValue.Element.float.rawValue), raw.count % 4 == 0 else {
            throw .otherTensor(name)
        }
        var left = raw.count / 4
        // Divided instead of multiplied, as a product of lengths from a file may be any number.
        for length in shape {
            guard length > 0, left % length == 0 else { throw .otherTensor(name) }
            left /= length
        }
        guard left == 1 else { throw .otherTensor(name) }
        let bytes = [UInt8](raw)
        let tensor = unsafe Tensor(ElementType.float32.floats(in: bytes.span.bytes), shape: shape)
        return (name, shape.count == 4 ? tensor.permuted(ownLayout) : tensor)
    }

    private static func text(_ bytes: Data.SubSequence) throws(ONNXError.Damage) -> String {
        guard let text = String(validating: bytes, as: UTF8.self) else { throw .damaged }
        return text
    }
}

/// Why an ONNX file was refused.
package struct ONNXError: Error, Sendable, Equatable, CustomStringConvertible {
    /// What is wrong with the bytes.
    package enum Damage: Error, Sendable, Equatable {
        /// Something is longer than the file.
        case cut
        /// Not the wire format, or no model.
        case damaged
        /// A tensor is not float32, or has other than its shape's number of values.
        case otherTensor(String)
    }

    /// The file.
    package let path: String
    /// What is wrong with its bytes.
    package let damage: Damage

    /// What is wrong and what to do.
    package var detail: String {
        switch damage {
        case .cut: "ends too early, or is no ONNX file; copy it again"
        case .damaged: "is damaged, or no ONNX file; copy it again"
        case .otherTensor(let name):
            "its weights '\(name)' are not whole 32-bit floats; give a file that `autoqc export-model --onnx` wrote"
        }
    }

    /// A sentence that names file, fault and remedy.
    package var description: String { "\(path): \(detail)" }
}
