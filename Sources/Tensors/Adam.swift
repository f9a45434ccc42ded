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
        (self.beta1, self.beta2, self.epsilon) = (beta1, beta2, epsilon)
        (self.step, self.firstMoments, self.secondMoments) = (step, firstMoments, secondMoments)
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

/// Learning rate as a function of the step: a linear rise, then half a cosine down to a share of the peak
/// (Loshchilov and Hutter 2017, without restarts).
package struct LearningRateSchedule: Sendable, Equatable {
    /// Highest rate.
    package let peak: Float
    /// Steps of the linear rise.
    package let warmup: Int
    /// Step at which the final rate is reached; it stays from there on.
    package let steps: Int
    /// Final rate as a share of the peak.
    package let finalShare: Float

    /// A schedule over `steps` steps.
    package init(peak: Float, warmup: Int, steps: Int, finalShare: Float = 0.02) {
        self.peak = peak
        self.warmup = warmup
        self.steps = steps
        self.finalShare = finalShare
    }

    /// The rate of a step, counted from 0.
    package func rate(at step: Int) -> Float {
        if step < warmup { return peak * Float(step + 1) / Float(warmup) }
        let progress = min(Float(step - warmup) / Float(max(steps - warmup, 1)), 1)
        return peak * (finalShare + (1 - finalShare) * 0.5 * (1 + cos(progress * .pi)))
    }
}

/// An exponential moving average of weights; it detects better than the weights of the last step.
package struct MovingAverage: Sendable {
    /// Share of the average that is kept at each step once many steps are done.
    package let decay: Float
    /// Steps averaged so far.
    package private(set) var step: Int
    /// The averaged weights.
    package private(set) var values: [Tensor]

    /// Starts at the given weights, or goes on from a saved average after `step` steps.
    package init(_ values: [Tensor], decay: Float, step: Int = 0) {
        self.values = values
        self.decay = decay
        self.step = step
    }

    /// Takes the weights after one more step.
    ///
    /// Early on the average is short, so that the first weights fade quickly.
    package mutating func update(_ parameters: [Variable]) {
        step += 1
        let early = Float(1 + step) / Float(10 + step)
        for (index, parameter) in parameters.enumerated() {
            values[index].makeUnique()
            unsafe aqc_blend(
                values[index].storage.pointer,
                parameter.value.storage.pointer,
                min(decay, early),
                parameter.value.count
            )
        }
    }
}
