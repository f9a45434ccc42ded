import Diffusion
import Tensors

/// The published loss of reconstructed windows: 0.5 DSSIM + 0.5 |difference| on [-1, 1] with dynamic range 1, averaged
/// over all pixels of all windows.
enum WindowLoss {
    /// The loss of a prediction, N x W x W x 1, as a scalar that can be differentiated once.
    ///
    /// Of each prediction only the `kept` runs of pixels count, one list a window; elsewhere the clean window stands in
    /// its place, which adds no loss but lowers the mean. Without `kept` everything counts.
    static func of(_ prediction: Variable, clean: [Float], kept: [[Range<Int>]]?) -> Variable {
        let (count, height, width) = (prediction.shape[0], prediction.shape[1], prediction.shape[2])
        let kept = kept ?? Array(repeating: [0..<height * width], count: count)
        var reconstruction = clean
        prediction.value.withSpan { span in
            for (image, runs) in kept.enumerated() {
                for run in runs {
                    for pixel in run {
                        let index = image * height * width + pixel
                        reconstruction[index] = span[index]
                    }
                }
            }
        }
        let loss = StructuralLoss.half.valueAndGradient(
            input: clean,
            reconstruction: reconstruction,
            count: count,
            height: height,
            width: width
        )
        return Variable(value: Tensor([loss.value], shape: []), inputs: [prediction]) { upstream in
            var gradient = [Float](repeating: 0, count: clean.count)
            for (image, runs) in kept.enumerated() {
                for run in runs {
                    for pixel in run {
                        let index = image * height * width + pixel
                        gradient[index] = upstream.value.scalar * loss.gradient[index]
                    }
                }
            }
            return [Variable(constant: Tensor(gradient, shape: prediction.shape))]
        }
    }
}
