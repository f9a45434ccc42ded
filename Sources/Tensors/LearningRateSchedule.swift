import Foundation

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
