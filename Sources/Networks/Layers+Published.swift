import Foundation
import Tensors

/// The published networks' names of parameters and their first values.
extension ConvolutionLayer {
    /// Weights as PyTorch draws them: variance 1 / (3 inputs), a sixth of He's.
    static func published(
        inputs: Int,
        outputs: Int,
        kernel: Int,
        stride: Int = 1,
        using random: inout some RandomNumberGenerator
    ) -> ConvolutionLayer {
        let gain = Float(1.0 / 6).squareRoot()
        return ConvolutionLayer(
            inputs: inputs,
            outputs: outputs,
            kernel: kernel,
            stride: stride,
            gain: gain,
            using: &random
        )
    }

    var published: [NamedParameter] {
        [
            NamedParameter(name: "weight", variable: weights, layout: .convolution),
            NamedParameter(name: "bias", variable: bias),
        ]
    }
}

extension LinearLayer {
    /// Weights as PyTorch draws them: variance 1 / (3 inputs).
    static func published(
        inputs: Int,
        outputs: Int,
        using random: inout some RandomNumberGenerator
    ) -> LinearLayer {
        LinearLayer(inputs: inputs, outputs: outputs, gain: Float(1.0 / 3).squareRoot(), using: &random)
    }

    var published: [NamedParameter] { published(weights: .same, bias: .same) }

    /// Of a layer that was published as a 1-D convolution of length 1.
    var publishedPointwise: [NamedParameter] { published(weights: .pointwise, bias: .same) }

    func published(weights layout: PublishedLayout, bias biasLayout: PublishedLayout) -> [NamedParameter] {
        [
            NamedParameter(name: "weight", variable: weights, layout: layout),
            NamedParameter(name: "bias", variable: bias, layout: biasLayout),
        ]
    }
}

extension Tensor {
    /// Sinusoids of timesteps, N x length, cosines first.
    ///
    /// Vaswani et al. 2017, section 3.5.
    static func timestepFeatures(_ timesteps: [Int], length: Int) -> Tensor {
        let half = length / 2
        let frequencies = (0..<half).map { exp(-log(10_000) * Double($0) / Double(half)) }
        let features = timesteps.flatMap { t in
            frequencies.map { Float(cos(Double(t) * $0)) } + frequencies.map { Float(sin(Double(t) * $0)) }
        }
        return Tensor(features, shape: [timesteps.count, length])
    }
}
