import Foundation

extension Variable {
    /// `e` to the power of `x`, elementwise.
    package func exponential() -> Variable {
        var result = value
        result.withMutableSpan { span in
            for i in 0..<span.count { span[i] = Foundation.exp(span[i]) }
        }
        return Variable(value: result, inputs: [self]) { [$0 * self.exponential()] }
    }
}
