import CKernels
import Foundation

extension Tensor {
    /// Runs a kernel over this tensor's values into a new tensor of the same shape.
    func mapped(_ kernel: (UnsafePointer<Float>, UnsafeMutablePointer<Float>, Int) -> Void) -> Tensor {
        let result = Tensor(uninitialized: shape)
        unsafe kernel(UnsafePointer(storage.pointer), result.storage.pointer, count)
        return result
    }

    /// Runs a kernel over the values of two tensors of one shape into a new tensor.
    func combined(
        _ other: Tensor,
        _ kernel: (UnsafePointer<Float>, UnsafePointer<Float>, UnsafeMutablePointer<Float>, Int) -> Void
    ) -> Tensor {
        precondition(shape == other.shape, "shapes \(shape) and \(other.shape) differ")
        let result = Tensor(uninitialized: shape)
        unsafe kernel(
            UnsafePointer(storage.pointer),
            UnsafePointer(other.storage.pointer),
            result.storage.pointer,
            count
        )
        return result
    }
}

extension Variable {
    /// Elementwise sum of two variables of one shape.
    package static func + (left: Variable, right: Variable) -> Variable {
        let value = unsafe left.value.combined(right.value) { unsafe aqc_add($0, $1, $2, $3) }
        return Variable(value: value, inputs: [left, right]) { [$0, $0] }
    }

    /// Elementwise difference of two variables of one shape.
    package static func - (left: Variable, right: Variable) -> Variable {
        left + right.affine(scale: -1)
    }

    /// Elementwise product of two variables of one shape.
    package static func * (left: Variable, right: Variable) -> Variable {
        let value = unsafe left.value.combined(right.value) { unsafe aqc_multiply($0, $1, $2, $3) }
        return Variable(value: value, inputs: [left, right]) { [$0 * right, $0 * left] }
    }

    /// `scale * x + shift`, elementwise.
    package func affine(scale: Float, shift: Float = 0) -> Variable {
        let result = unsafe value.mapped { unsafe aqc_affine($0, scale, shift, $1, $2) }
        return Variable(value: result, inputs: [self]) { [$0.affine(scale: scale)] }
    }

    /// `x` to a real power, elementwise: square roots and reciprocals too.
    ///
    /// `x` must be positive unless the exponent is a whole number.
    package func power(_ exponent: Float) -> Variable {
        var result = value
        result.withMutableSpan { span in
            for i in 0..<span.count { span[i] = Foundation.pow(span[i], exponent) }
        }
        return Variable(value: result, inputs: [self]) { upstream in
            [upstream * self.power(exponent - 1).affine(scale: exponent)]
        }
    }

    /// `1 / (1 + exp(-x))`, elementwise.
    package func sigmoid() -> Variable {
        let result = unsafe value.mapped { unsafe aqc_sigmoid($0, $1, $2) }
        return Variable(value: result, inputs: [self]) { upstream in
            let s = self.sigmoid()
            return [upstream * s * s.affine(scale: -1, shift: 1)]
        }
    }

    /// SiLU, elementwise: `x * sigmoid(x)`.
    ///
    /// Elfwing et al. 2018.
    package func silu() -> Variable {
        let result = unsafe value.mapped { unsafe aqc_silu($0, $1, $2) }
        return Variable(value: result, inputs: [self]) { [self.siluGradient(upstream: $0)] }
    }

    /// The upstream gradient times the derivative of SiLU at `self`, in one kernel; its own gradient is made of
    /// simpler operations.
    private func siluGradient(upstream: Variable) -> Variable {
        let result = unsafe value.combined(upstream.value) { unsafe aqc_silu_gradient($0, $1, $2, $3) }
        return Variable(value: result, inputs: [self, upstream]) { second in
            let s = self.sigmoid()
            let complement = s.affine(scale: -1, shift: 1)
            let first = s * (self * complement).affine(scale: 1, shift: 1)
            let slope = s * complement * (self * s.affine(scale: -2, shift: 1)).affine(scale: 1, shift: 2)
            return [second * upstream * slope, second * first]
        }
    }

    /// Leaky rectifier: `x` where positive, `slope * x` elsewhere.
    package func leakyReLU(slope: Float) -> Variable {
        Self.leakyGate(gate: self, self, slope: slope)
    }

    /// `x` where the gate is positive and `slope * x` elsewhere; the gate's own derivative is zero almost everywhere.
    private static func leakyGate(gate: Variable, _ x: Variable, slope: Float) -> Variable {
        let result = unsafe gate.value.combined(x.value) { unsafe aqc_leaky_gate($0, $1, slope, $2, $3) }
        return Variable(value: result, inputs: [x]) { upstream in
            [leakyGate(gate: gate, upstream, slope: slope)]
        }
    }
}
