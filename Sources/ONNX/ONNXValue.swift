import Foundation

/// What flows between the nodes of an ONNX graph. Arithmetic on values adds nodes to their graph.
package struct ONNXValue {
    /// The graph that it belongs to.
    package let graph: ONNXGraph
    /// Its name in the graph.
    let name: String
    /// What its elements are.
    let type: Element

    /// The types of elements, by ONNX's numbers.
    package enum Element: Int, Sendable {
        /// 32-bit float.
        case float = 1
        /// 32-bit whole number.
        case int32 = 6
        /// 64-bit whole number.
        case int64 = 7
        /// True or false.
        case bool = 9
        /// 64-bit float.
        case double = 11

        func bytes(_ values: [Double]) -> Data {
            var data = Data()
            switch self {
            case .float: data.append(littleEndian: values.map { Float($0).bitPattern })
            case .double: data.append(littleEndian: values.map(\.bitPattern))
            case .int32: data.append(littleEndian: values.map { Int32($0) })
            case .int64: data.append(littleEndian: values.map { Int64($0) })
            case .bool: data.append(contentsOf: values.map { $0 == 0 ? 0 : 1 })
            }
            return data
        }
    }
}

extension ONNXValue {
    /// The sum, element by element; shapes are broadcast, here as below.
    package static func + (left: ONNXValue, right: ONNXValue) -> ONNXValue {
        left.graph.node("Add", [left, right])
    }

    /// The difference.
    package static func - (left: ONNXValue, right: ONNXValue) -> ONNXValue {
        left.graph.node("Sub", [left, right])
    }

    /// The product.
    package static func * (left: ONNXValue, right: ONNXValue) -> ONNXValue {
        left.graph.node("Mul", [left, right])
    }

    /// The quotient; of whole numbers the whole part.
    package static func / (left: ONNXValue, right: ONNXValue) -> ONNXValue {
        left.graph.node("Div", [left, right])
    }

    /// The sum with a number of the same type.
    package static func + (left: ONNXValue, right: Double) -> ONNXValue { left + left.scalar(right) }

    /// The difference from a number of the same type.
    package static func - (left: ONNXValue, right: Double) -> ONNXValue { left - left.scalar(right) }

    /// The difference of a number of the same type and this.
    package static func - (left: Double, right: ONNXValue) -> ONNXValue { right.scalar(left) - right }

    /// The product with a number of the same type.
    package static func * (left: ONNXValue, right: Double) -> ONNXValue { left * left.scalar(right) }

    /// The quotient by a number of the same type.
    package static func / (left: ONNXValue, right: Double) -> ONNXValue { left / left.scalar(right) }

    /// Where it is greater.
    package static func > (left: ONNXValue, right: ONNXValue) -> ONNXValue {
        left.graph.node("Greater", [left, right], type: .bool)
    }

    /// What remains of a division by a number, from 0 to below it.
    package static func % (left: ONNXValue, right: Double) -> ONNXValue {
        left.graph.node("Mod", [left, left.scalar(right)])
    }

    /// Where both hold.
    package static func && (left: ONNXValue, right: ONNXValue) -> ONNXValue {
        left.graph.node("And", [left, right])
    }

    /// Where one holds.
    package static func || (left: ONNXValue, right: ONNXValue) -> ONNXValue {
        left.graph.node("Or", [left, right])
    }

    private func scalar(_ number: Double) -> ONNXValue { graph.constant([number], type: type) }

    /// The same with elements of another type.
    package func cast(to type: Element) -> ONNXValue {
        graph.node("Cast", [self], ["to": .integer(type.rawValue)], type: type)
    }

    /// Of a condition: the first where it holds, the second elsewhere.
    package func choose(_ first: ONNXValue, _ second: ONNXValue) -> ONNXValue {
        graph.node("Where", [self, first, second], type: first.type)
    }

    /// The elements of an axis at positions, which take its place.
    package func gather(_ positions: ONNXValue, axis: Int = 0) -> ONNXValue {
        graph.node("Gather", [self, positions], ["axis": .integer(axis)])
    }

    /// The same elements in another shape; -1 stands for the length that remains.
    package func reshaped(_ shape: [Int]) -> ONNXValue {
        reshaped(to: graph.constant(shape, shape: [shape.count]))
    }

    /// The same elements in a shape that the graph computes.
    package func reshaped(to shape: ONNXValue) -> ONNXValue { graph.node("Reshape", [self, shape]) }

    /// Values one after another along an axis.
    package static func joined(_ values: [ONNXValue], axis: Int = 0) -> ONNXValue {
        guard let first = values.first else { preconditionFailure("nothing to join") }
        return first.graph.node("Concat", values, ["axis": .integer(axis)])
    }

    /// The whole numbers from one to below another, both scalars.
    package static func range(from start: ONNXValue, to end: ONNXValue) -> ONNXValue {
        start.graph.node("Range", [start, end, start.scalar(1)])
    }

    /// The sum over the outermost axis, which goes.
    package func summedOverFirstAxis() -> ONNXValue {
        graph.node("ReduceSum", [self, graph.constant([0], shape: [1])], ["keepdims": .integer(0)])
    }

    /// The cross-correlation of images, N x C x H x W, with weights, O x I x KH x KW, and a bias; zeros lie around the image.
    package func convolved(
        _ weights: ONNXValue,
        bias: ONNXValue? = nil,
        stride: Int = 1,
        padding: (rows: Int, columns: Int)
    ) -> ONNXValue {
        let (rows, columns) = padding
        return graph.node(
            "Conv",
            [self, weights] + (bias.map { [$0] } ?? []),
            ["strides": .integers([stride, stride]), "pads": .integers([rows, columns, rows, columns])]
        )
    }

    /// `x * sigmoid(x)`.
    package func silu() -> ONNXValue { self * graph.node("Sigmoid", [self]) }
}
