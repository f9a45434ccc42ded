import CKernels
import Foundation

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
