import Diffusion
import Tensors

/// The pDDPM training loss.
///
/// 0.5 DSSIM + 0.5 |difference| between clean and reconstructed images in [0, 1], averaged over the noised
/// pixels. Outside them the reconstruction is the image itself.
enum PatchLoss {
    /// The loss of a prediction, N x H x W x 1, as a scalar that can be differentiated once.
    static func of(_ prediction: Variable, batch: BatchSampler.Batch) -> Variable {
        let (count, height, width) = (prediction.shape[0], prediction.shape[1], prediction.shape[2])
        let clean = batch.clean.map { 0.5 * ($0 + 1) }
        var reconstruction = clean
        prediction.value.withSpan { span in
            for index in reconstruction.indices where batch.weights[index] > 0 {
                reconstruction[index] = 0.5 * (span[index] + 1)
            }
        }
        let loss = StructuralLoss.half.valueAndGradient(
            input: clean,
            reconstruction: reconstruction,
            count: count,
            height: height,
            width: width,
            weights: batch.weights
        )
        return Variable(value: Tensor([loss.value], shape: []), inputs: [prediction]) { upstream in
            // Half, since [-1, 1] is twice as long as [0, 1]; none where the prediction is not used.
            let scale = 0.5 * upstream.value.scalar
            let gradient = zip(loss.gradient, batch.weights).map { scale * $0 * $1 }
            return [Variable(constant: Tensor(gradient, shape: prediction.shape))]
        }
    }
}
