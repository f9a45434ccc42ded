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

/// Products per channel; with the sums and spreads of the layout operations they are closed under
/// differentiation.
extension Variable {
    /// Multiplies every pixel by one value per image and channel and adds another: N x H x W x C by N x C.
    package func scalingChannels(_ scale: Variable, adding shift: Variable? = nil) -> Variable {
        let (batch, height, width, depth) = imageAxes
        precondition(
            scale.shape == [batch, depth] && (shift?.shape ?? scale.shape) == scale.shape,
            "scale \(scale.shape) and shift \(shift?.shape ?? []) for images \(shape)"
        )
        let result = unsafe value.mapped { x, y, _ in
            unsafe aqc_affine_channels(
                x,
                scale.value.storage.pointer,
                shift?.value.storage.pointer,
                y,
                batch,
                height * width,
                depth
            )
        }
        let inputs = [self, scale] + (shift.map { [$0] } ?? [])
        return Variable(value: result, inputs: inputs) { upstream in
            let image = self.wantsGradient ? upstream.scalingChannels(scale) : nil
            let factor = scale.wantsGradient ? upstream.dotOverPixels(self) : nil
            guard let shift else { return [image, factor] }
            return [image, factor, shift.wantsGradient ? upstream.sumOverPixels() : nil]
        }
    }

    /// The sum over each image's pixels of the product with another: N x H x W x C twice to N x C.
    package func dotOverPixels(_ other: Variable) -> Variable {
        let (batch, height, width, depth) = imageAxes
        precondition(shape == other.shape, "shapes \(shape) and \(other.shape) differ")
        let result = Tensor(uninitialized: [batch, depth])
        unsafe aqc_dot_pixels(
            value.storage.pointer,
            other.value.storage.pointer,
            result.storage.pointer,
            batch,
            height * width,
            depth
        )
        return Variable(value: result, inputs: [self, other]) { upstream in
            guard other !== self else { return [self.scalingChannels(upstream.affine(scale: 2)), nil] }
            return [
                self.wantsGradient ? other.scalingChannels(upstream) : nil,
                other.wantsGradient ? self.scalingChannels(upstream) : nil,
            ]
        }
    }

    /// Hyperbolic tangent, elementwise.
    package func tanh() -> Variable {
        var result = value
        result.withMutableSpan { span in
            for i in 0..<span.count { span[i] = Foundation.tanh(span[i]) }
        }
        return Variable(value: result, inputs: [self]) { upstream in
            let y = self.tanh()
            return [upstream * (y * y).affine(scale: -1, shift: 1)]
        }
    }
}

/// Taking channels apart and putting them together; each is made of the other's gradient.
extension Variable {
    /// The channels of both, this one's first: A and B of them make A + B.
    package func concatenatingChannels(of other: Variable) -> Variable {
        let (width, more) = (channelCount, other.channelCount)
        precondition(shape.dropLast() == other.shape.dropLast(), "\(shape) and \(other.shape) differ")
        var result = Tensor(uninitialized: shape.dropLast() + [width + more])
        result.copyChannels(of: value, from: 0, to: 0, count: width)
        result.copyChannels(of: other.value, from: 0, to: width, count: more)
        return Variable(value: result, inputs: [self, other]) {
            [$0.channels(0..<width), $0.channels(width..<width + more)]
        }
    }

    /// A range of the channels.
    package func channels(_ range: Range<Int>) -> Variable {
        let width = channelCount
        precondition(range.upperBound <= width, "channels \(range) of \(width)")
        var result = Tensor(uninitialized: shape.dropLast() + [range.count])
        result.copyChannels(of: value, from: range.lowerBound, to: 0, count: range.count)
        return Variable(value: result, inputs: [self]) {
            [$0.spreadChannels(to: range.lowerBound, of: width)]
        }
    }

    /// These channels at an offset among `width`, the others zero.
    private func spreadChannels(to offset: Int, of width: Int) -> Variable {
        let count = channelCount
        var result = Tensor(repeating: 0, shape: shape.dropLast() + [width])
        result.copyChannels(of: value, from: 0, to: offset, count: count)
        return Variable(value: result, inputs: [self]) { [$0.channels(offset..<offset + count)] }
    }

    /// A range of the rows of a matrix.
    func rows(_ range: Range<Int>) -> Variable {
        let width = channelCount
        return reshaped([1, value.count]).channels(range.lowerBound * width..<range.upperBound * width)
            .reshaped([range.count, width])
    }

    /// The mean of each 2 x 2 pixels: N x 2H x 2W x C to N x H x W x C.
    package func averagePooled() -> Variable { sumPooled().affine(scale: 0.25) }

    private var channelCount: Int {
        precondition(!shape.isEmpty, "a scalar has no channels")
        return shape[shape.count - 1]
    }
}

extension Tensor {
    fileprivate mutating func copyChannels(of source: Tensor, from start: Int, to offset: Int, count: Int) {
        let (width, sourceWidth) = (shape[shape.count - 1], source.shape[source.shape.count - 1])
        unsafe aqc_copy_columns(
            source.storage.pointer,
            sourceWidth,
            start,
            storage.pointer,
            width,
            offset,
            shape.dropLast().reduce(1, *),
            count
        )
    }
}
