import Foundation
package import Tensors

/// A graph of ONNX operators that is put together node by node.
///
/// Weights are initialisers of the graph, in the order in which they are met; all other constants are nodes, so that the weights can
/// be told from them. Values know their graph, so that arithmetic reads as such.
package final class ONNXGraph {
    /// A graph's name, for people.
    package let name: String
    private var nodes: [Node] = []
    private var initialisers: [(name: String, tensor: Tensor)] = []
    private var inputs: [Port] = []
    private var outputs: [Port] = []
    private var known: [Constant: ONNXValue] = [:]

    /// An empty graph.
    package init(name: String) { self.name = name }

    /// The length of an axis of an input or output.
    package enum Length: Sendable {
        /// A number.
        case fixed(Int)
        /// Any; the same name means the same length.
        case named(String)
    }

    /// An attribute of a node.
    package enum Attribute: Sendable {
        /// A whole number.
        case integer(Int)
        /// Whole numbers.
        case integers([Int])
        /// A word.
        case text(String)
    }

    private struct Node {
        let type: String
        let inputs: [String]
        let outputs: [String]
        let attributes: [(name: String, value: NodeAttribute)]
    }

    private enum NodeAttribute {
        case plain(Attribute)
        case tensor(Constant)
    }

    private struct Constant: Hashable {
        let type: ONNXValue.Element
        let shape: [Int]
        /// Little endian.
        let bytes: Data
    }

    private struct Port {
        let value: ONNXValue
        let name: String
        let shape: [Length]
        let documentation: String
    }

    /// An input of float32.
    package func input(_ name: String, _ shape: [Length], documentation: String) -> ONNXValue {
        let value = ONNXValue(graph: self, name: name, type: .float)
        inputs.append(Port(value: value, name: name, shape: shape, documentation: documentation))
        return value
    }

    /// Makes a value an output of the graph, under this name.
    package func output(_ value: ONNXValue, _ name: String, _ shape: [Length], documentation: String) {
        nodes.append(Node(type: "Identity", inputs: [value.name], outputs: [name], attributes: []))
        outputs.append(Port(value: value, name: name, shape: shape, documentation: documentation))
    }

    /// A weight; those of convolutions, O x KH x KW x I, are laid out as ONNX has them, O x I x KH x KW.
    package func weights(_ name: String, _ tensor: Tensor) -> ONNXValue {
        initialisers.append((name, tensor))
        return ONNXValue(graph: self, name: name, type: .float)
    }

    /// A node with one output of some type, or of its first input's.
    ///
    /// `nil` stands for an input that is left out. Of a node with several outputs the first one is returned.
    package func node(
        _ type: String,
        _ values: [ONNXValue?],
        _ attributes: KeyValuePairs<String, Attribute> = [:],
        type element: ONNXValue.Element? = nil,
        outputs count: Int = 1
    ) -> ONNXValue {
        let names = (0..<count).map { $0 == 0 ? "value\(nodes.count)" : "value\(nodes.count).\($0)" }
        nodes.append(
            Node(
                type: type,
                inputs: values.map { $0?.name ?? "" },
                outputs: names,
                attributes: attributes.map { ($0.key, .plain($0.value)) }
            )
        )
        let element = element ?? values.lazy.compactMap { $0?.type }.first ?? .float
        return ONNXValue(graph: self, name: names[0], type: element)
    }

    /// A constant of whole numbers; a scalar where no shape is given.
    package func constant(
        _ values: [Int],
        shape: [Int] = [],
        type: ONNXValue.Element = .int64
    ) -> ONNXValue {
        constant(values.map { Double($0) }, shape: shape, type: type)
    }

    /// A constant of a type; a scalar where no shape is given.
    package func constant(
        _ values: [Double],
        shape: [Int] = [],
        type: ONNXValue.Element = .float
    ) -> ONNXValue {
        precondition(values.count == shape.reduce(1, *), "\(values.count) values for \(shape)")
        return constant(Constant(type: type, shape: shape, bytes: type.bytes(values)))
    }

    private func constant(_ constant: Constant) -> ONNXValue {
        if let value = known[constant] { return value }
        let value = ONNXValue(graph: self, name: "value\(nodes.count)", type: constant.type)
        nodes.append(
            Node(
                type: "Constant",
                inputs: [],
                outputs: [value.name],
                attributes: [("value", .tensor(constant))]
            )
        )
        known[constant] = value
        return value
    }

    /// The operators' types and how often each is used.
    package var operators: [String: Int] { nodes.reduce(into: [:]) { $0[$1.type, default: 0] += 1 } }
}

extension ONNXGraph {
    /// The numbers of the fields of a `GraphProto`, `NodeProto`, `AttributeProto`, `ValueInfoProto` and of what they hold.
    func write(to message: inout MessageWriter) {
        for node in nodes { message.add(1) { write(node, to: &$0) } }
        message.add(2, name)
        for (name, tensor) in initialisers {
            message.add(ONNXFile.initialiserField) { ONNXFile.write(tensor, name: name, to: &$0) }
        }
        for port in inputs { message.add(11) { write(port, to: &$0) } }
        for port in outputs { message.add(12) { write(port, to: &$0) } }
    }

    private func write(_ node: Node, to message: inout MessageWriter) {
        for input in node.inputs { message.add(1, input) }
        for output in node.outputs { message.add(2, output) }
        message.add(4, node.type)
        for (name, value) in node.attributes {
            message.add(5) {
                $0.add(1, name)
                write(value, to: &$0)
            }
        }
    }

    private func write(_ attribute: NodeAttribute, to message: inout MessageWriter) {
        switch attribute {
        case .plain(.integer(let number)):
            message.add(3, number)
            message.add(20, 2)
        case .plain(.integers(let numbers)):
            for number in numbers { message.add(8, number) }
            message.add(20, 7)
        case .plain(.text(let text)):
            message.add(4, text)
            message.add(20, 3)
        case .tensor(let constant):
            message.add(5) {
                for length in constant.shape { $0.add(1, length) }
                $0.add(2, constant.type.rawValue)
                $0.add(9, constant.bytes)
            }
            message.add(20, 4)
        }
    }

    private func write(_ port: Port, to message: inout MessageWriter) {
        message.add(1, port.name)
        message.add(2) { type in
            type.add(1) { tensor in
                tensor.add(1, port.value.type.rawValue)
                tensor.add(2) { shape in
                    for length in port.shape {
                        shape.add(1) { axis in
                            switch length {
                            case .fixed(let count): axis.add(1, count)
                            case .named(let name): axis.add(2, name)
                            }
                        }
                    }
                }
            }
        }
        message.add(3, port.documentation)
    }
}
