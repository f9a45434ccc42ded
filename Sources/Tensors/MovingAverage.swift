import CKernels

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
