import Tensors

/// Switches whole channels of images off at random while a network trains; what is left is scaled up so that
/// means stay.
///
/// Tompson et al. 2015, section 3.2. One object serves one step; its generator makes the step repeatable.
package final class ChannelDropout {
    private let rate: Float
    private var random: any RandomNumberGenerator

    /// Switches a share `rate`, in [0, 1), of the channels off; 0.25 as published.
    package init(rate: Float = 0.25, using random: some RandomNumberGenerator) {
        precondition((0..<1).contains(rate), "a share of \(rate) of the channels")
        self.rate = rate
        self.random = random
    }

    func callAsFunction(_ x: Variable) -> Variable {
        let shape = [x.shape[0], x.shape[3]]
        let kept = 1 / (1 - rate)
        let factors = (0..<shape[0] * shape[1]).map { _ in
            Float(random.next() >> 40) * 0x1p-24 < rate ? 0 : kept
        }
        return x.scalingChannels(Variable(constant: Tensor(factors, shape: shape)))
    }
}
