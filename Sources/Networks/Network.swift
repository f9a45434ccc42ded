package import Tensors

/// A network whose weights have names: what training, model files and imports need of it.
package protocol Network: AnyObject {
    /// All weights and running statistics, in a fixed order; those without gradient are not trained.
    var parameters: [NamedParameter] { get }
}

extension Network {
    /// Takes weights by name; returns what does not fit, in words, and takes none unless everything fits.
    package func load(_ weights: [String: Tensor]) -> [String] {
        load(weights, shape: { $0.variable.shape }, value: { $1 })
    }

    private func load(
        _ weights: [String: Tensor],
        shape: (NamedParameter) -> [Int],
        value: (NamedParameter, Tensor) -> Tensor
    ) -> [String] {
        let parameters = parameters
        let faults = parameters.faults(in: weights, shape: shape)
        guard faults.isEmpty else { return faults }
        for parameter in parameters {
            if let found = weights[parameter.name] { parameter.variable.value = value(parameter, found) }
        }
        return []
    }
}

/// A parameter and the name it has in a model file.
package struct NamedParameter {
    /// Dotted path from the network to the parameter, for example `down.0.first.weights`.
    package let name: String
    /// The parameter.
    package let variable: Variable
    /// How the tensor of this name in a published checkpoint becomes the parameter.
    package private(set) var layout = PublishedLayout.same

    func prefixed(_ prefix: String) -> NamedParameter {
        NamedParameter(name: "\(prefix).\(name)", variable: variable, layout: layout)
    }
}

extension [NamedParameter] {
    func prefixed(_ prefix: String) -> [NamedParameter] { map { $0.prefixed(prefix) } }
}

/// A generator for networks whose weights will be loaded: all of them start at zero, and no time goes into drawing them.
package struct ZeroGenerator: RandomNumberGenerator, Sendable {
    /// Makes the generator.
    package init() {}

    /// Zero.
    package mutating func next() -> UInt64 { 0 }
}

/// How the published tensor of a parameter (PyTorch's layout, images C x H x W) becomes ours (channels last).
package enum PublishedLayout: Sendable, Equatable {
    /// Vectors, and matrices that face no image.
    case same
    /// Convolution weights: O x I x KH x KW to O x KH x KW x I.
    case convolution
    /// Weights of a 1-D convolution of length 1: O x I x 1 to the matrix O x I.
    case pointwise
    /// A linear layer, weights or bias, whose outputs are a flattened image: rows C x H x W to H x W x C.
    case rows(channels: Int, height: Int, width: Int)
    /// A linear layer's weights whose inputs are a flattened image: columns C x H x W to H x W x C.
    case columns(channels: Int, height: Int, width: Int)

    /// The shape that the published tensor has if ours has this one.
    package func publishedShape(of shape: [Int]) -> [Int] {
        switch self {
        case .same, .rows, .columns: shape
        case .convolution: [shape[0], shape[3], shape[1], shape[2]]
        case .pointwise: shape + [1]
        }
    }

    /// Our tensor from the published one, whose shape has been checked.
    package func converted(from published: Tensor) -> Tensor {
        switch self {
        case .same: published
        case .convolution: published.permuted([0, 2, 3, 1])
        case .pointwise: published.reshaped(Array(published.shape.dropLast()))
        case .rows(let channels, let height, let width):
            published.permuted([1, 2, 0], of: [channels, height, width], axis: 0)
        case .columns(let channels, let height, let width):
            published.permuted([1, 2, 0], of: [channels, height, width], axis: 1)
        }
    }

    /// The published tensor from ours: the inverse of `converted(from:)`.
    package func published(from tensor: Tensor) -> Tensor {
        switch self {
        case .same: tensor
        case .convolution: tensor.permuted([0, 3, 1, 2])
        case .pointwise: tensor.reshaped(tensor.shape + [1])
        case .rows(let channels, let height, let width):
            tensor.permuted([2, 0, 1], of: [height, width, channels], axis: 0)
        case .columns(let channels, let height, let width):
            tensor.permuted([2, 0, 1], of: [height, width, channels], axis: 1)
        }
    }
}

extension Network {
    /// Takes published weights by name; returns what does not fit, in words, and takes none unless everything fits.
    ///
    /// The counters that PyTorch keeps beside batch statistics (`num_batches_tracked`) are ignored: nothing reads them.
    package func load(published weights: [String: Tensor]) -> [String] {
        load(
            weights.filter { !$0.key.hasSuffix("num_batches_tracked") },
            shape: { $0.layout.publishedShape(of: $0.variable.shape) },
            value: { $0.layout.converted(from: $1) }
        )
    }

    /// The weights under their names in the published layout: what `load(published:)` takes.
    package var published: [String: Tensor] {
        let pairs = parameters.map { ($0.name, $0.layout.published(from: $0.variable.value)) }
        return Dictionary(uniqueKeysWithValues: pairs)
    }
}

extension [NamedParameter] {
    /// What keeps weights from being taken, one sentence each: missing, of another shape, not finite, unknown.
    func faults(in weights: [String: Tensor], shape: (NamedParameter) -> [Int]) -> [String] {
        let faults = compactMap { parameter -> String? in
            guard let found = weights[parameter.name] else { return "\(parameter.name) is missing" }
            let expected = shape(parameter)
            guard found.shape == expected else {
                return "\(parameter.name) has shape \(found.shape) instead of \(expected)"
            }
            return found.isFinite ? nil : "\(parameter.name) holds values that are not finite"
        }
        let known = Set(map(\.name))
        return faults
            + weights.keys.filter { !known.contains($0) }.sorted().map { "\($0) is not part of the network" }
    }
}

extension Tensor {
    fileprivate var isFinite: Bool {
        withSpan { span in
            for i in 0..<span.count where !span[i].isFinite { return false }
            return true
        }
    }

    /// One axis taken apart into `lengths`, those reordered, and joined again.
    fileprivate func permuted(_ order: [Int], of lengths: [Int], axis: Int) -> Tensor {
        precondition(
            axis < shape.count && shape[axis] == lengths.reduce(1, *),
            "axis \(axis) of \(shape) is not \(lengths)"
        )
        let apart = shape[..<axis] + lengths + shape[(axis + 1)...]
        let axes = Array(0..<axis) + order.map { $0 + axis } + (axis + 3..<shape.count + 2)
        return reshaped(Array(apart)).permuted(axes).reshaped(shape)
    }
}
