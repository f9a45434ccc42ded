package import Tensors

/// Linear layers with rectifiers between them: N x first width to N x last width.
package final class Perceptron: Network {
    private let layers: [LinearLayer]

    /// Draws weights for layers between these widths, two at least.
    package init(widths: [Int], using random: inout some RandomNumberGenerator) {
        precondition(widths.count > 1, "a perceptron has an input and an output")
        var layers: [LinearLayer] = []
        for (inputs, outputs) in zip(widths, widths.dropFirst()) {
            // He et al. 2015, as half of what a rectifier gets is lost.
            layers.append(
                LinearLayer(inputs: inputs, outputs: outputs, gain: Float(2).squareRoot(), using: &random)
            )
        }
        self.layers = layers
    }

    /// The last layer's output, without a rectifier.
    package func callAsFunction(_ x: Variable) -> Variable {
        layers.dropLast().reduce(x) { $1($0).leakyReLU(slope: 0) }.applying(layers.last)
    }

    /// Weights (outputs x inputs) and biases, layer by layer.
    package var parameters: [NamedParameter] {
        layers.enumerated().flatMap { $1.parameters.prefixed("layer\($0)") }
    }
}

extension Variable {
    fileprivate func applying(_ layer: LinearLayer?) -> Variable { layer.map { $0(self) } ?? self }
}
