import Tensors

/// Which statistics a batch normalisation goes by.
package enum NormalisationMode: Sendable {
    /// Those of the current batch, which also update the running ones.
    case training
    /// The running ones, which stay.
    case evaluation
}

/// Batch normalisation of images with running statistics.
///
/// Ioffe and Szegedy 2015. Running statistics follow a tenth of the way at each batch; their variance is the
/// unbiased one, while a batch is divided by its own.
struct BatchNormalisation {
    private let scale: Variable
    private let shift: Variable
    private let runningMean: Variable
    private let runningVariance: Variable
    private let epsilon: Float
    private static let momentum: Float = 0.1

    init(channels: Int, epsilon: Float) {
        scale = Variable(parameter: Tensor(repeating: 1, shape: [channels]))
        shift = Variable(parameter: Tensor(repeating: 0, shape: [channels]))
        runningMean = Variable(constant: Tensor(repeating: 0, shape: [channels]))
        runningVariance = Variable(constant: Tensor(repeating: 1, shape: [channels]))
        self.epsilon = epsilon
    }

    func callAsFunction(_ x: Variable, mode: NormalisationMode) -> Variable {
        guard mode == .training else {
            return x.normalised(
                mean: runningMean,
                variance: runningVariance,
                scale: scale,
                shift: shift,
                epsilon: epsilon
            )
        }
        let count = x.value.count / scale.value.count
        precondition(count > 1, "a batch of one value per channel has no variance")
        let (output, mean, variance) = x.normalisedByBatch(scale: scale, shift: shift, epsilon: epsilon)
        move(runningMean, towards: mean)
        move(runningVariance, towards: variance, times: Float(count) / Float(count - 1))
        return output
    }

    /// A convolution and then this; in evaluation one convolution, with this folded into its weights and
    /// biases.
    func callAsFunction(
        _ x: Variable,
        after convolution: ConvolutionLayer,
        mode: NormalisationMode
    ) -> Variable {
        guard mode == .evaluation else { return self(convolution(x), mode: mode) }
        let factor = runningVariance.affine(scale: 1, shift: epsilon).power(-0.5) * scale
        let shape = convolution.weights.shape
        let weights = convolution.weights.reshaped([shape[0], shape[1], shape[2] * shape[3], 1])
            .scalingChannels(factor.reshaped([shape[0], 1])).reshaped(shape)
        return x.convolution(
            weights: weights,
            bias: (convolution.bias - runningMean) * factor + shift,
            geometry: convolution.geometry
        )
    }

    private func move(_ running: Variable, towards found: Tensor, times factor: Float = 1) {
        Recording.off {
            running.value =
                (running.affine(scale: 1 - Self.momentum)
                + Variable(constant: found).affine(scale: Self.momentum * factor)).value
        }
    }

    var parameters: [NamedParameter] {
        [
            NamedParameter(name: "weight", variable: scale), NamedParameter(name: "bias", variable: shift),
            NamedParameter(name: "running_mean", variable: runningMean),
            NamedParameter(name: "running_var", variable: runningVariance),
        ]
    }
}
