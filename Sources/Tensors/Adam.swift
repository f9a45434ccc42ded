import CKernels
import Foundation

/// The Adam optimiser (Kingma and Ba 2015, algorithm 1), without weight decay.
package struct Adam: Sendable {
    /// Decay of the running mean of gradients.
    package let beta1: Float
    /// Decay of the running mean of squared gradients.
    package let beta2: Float
    /// Added to the denominator.
    package let epsilon: Float
    /// Updates done so far.
    package private(set) var step: Int
    /// Running mean of each parameter's gradient.
    package private(set) var firstMoments: [Tensor]
    /// Running mean of each parameter's squared gradient.
    package private(set) var secondMoments: [Tensor]

    /// Starts with moments of zero for parameters of these shapes.
    package init(shapes: [[Int]], beta1: Float = 0.9, beta2: Float = 0.999, epsilon: Float = 1e-8) {
        self.init(
            step: 0,
            firstMoments: shapes.map { Tensor(repeating: 0, shape: $0) },
            secondMoments: shapes.map { Tensor(repeating: 0, shape: $0) },
            beta1: beta1,
            beta2: beta2,
            epsilon: epsilon
        )
    }

    /// Goes on from saved moments.
    package init(
        step: Int,
        firstMoments: [Tensor],
        secondMoments: [Tensor],
        beta1: Float = 0.9,
        beta2: Float = 0.999,
        epsilon: Float = 1e-8
    ) {
        self.beta1 = beta1
        self.beta2 = beta2
        self.epsilon = epsilon
        self.step = step
        self.firstMoments = firstMoments
        self.secondMoments = secondMoments
    }

    /// Moves each parameter against its gradient; parameters and gradients in the order of the moments.
    package mutating func update(_ parameters: [Variable], gradients: [Tensor], learningRate: Float) {
        precondition(
            parameters.count == firstMoments.count && gradients.count == firstMoments.count,
            "\(parameters.count) parameters, \(gradients.count) gradients, \(firstMoments.count) moments"
        )
        step += 1
        let correction1 = 1 - pow(Double(beta1), Double(step))
        let correction2 = 1 - pow(Double(beta2), Double(step))
        let constants = aqc_adam_constants(
            beta1: beta1,
            beta2: beta2,
            step_size: Float(Double(learningRate) / correction1),
            correction: Float(1 / correction2.squareRoot()),
            epsilon: epsilon
        )
        for (index, parameter) in parameters.enumerated() {
            precondition(parameter.shape == gradients[index].shape, "a gradient of another shape")
            parameter.value.makeUnique()
            firstMoments[index].makeUnique()
            secondMoments[index].makeUnique()
            unsafe aqc_adam(
                parameter.value.storage.pointer,
                firstMoments[index].storage.pointer,
                secondMoments[index].storage.pointer,
                gradients[index].storage.pointer,
                parameter.value.count,
                constants
            )
        }
    }
}
