/// Batch normalisation (Ioffe and Szegedy 2015, algorithm 1): every channel to mean 0 and variance 1, then a
/// scale and a shift of its own.
extension Variable {
    /// Normalises images N x H x W x C by the statistics of this batch; `scale` and `shift` have C values.
    ///
    /// Also gives those statistics, C values each; the variance is that of the batch itself (divided by N x H
    /// x W).
    package func normalisedByBatch(
        scale: Variable,
        shift: Variable,
        epsilon: Float
    ) -> (output: Variable, mean: Tensor, variance: Tensor) {
        let (batch, height, width, depth) = imageAxes
        // Statistics are first taken per row of pixels: shorter sums of floats are more exact, and rows share threads.
        let rows = reshaped([batch * height, width, 1, depth])
        let share = 1 / Float(batch * height * width)
        let mean = rows.sumOverPixels().sumOverRows().affine(scale: share)
        let centred = rows.addingChannels(mean.affine(scale: -1).spreadOverRows(batch * height))
        let variance = centred.dotOverPixels(centred).sumOverRows().affine(scale: share)
        let factor = variance.affine(scale: 1, shift: epsilon).power(-0.5) * scale.reshaped([1, depth])
        let output = centred.scalingChannels(
            factor.spreadOverRows(batch * height),
            adding: shift.reshaped([1, depth]).spreadOverRows(batch * height)
        )
        return (output.reshaped(shape), mean.value.reshaped([depth]), variance.value.reshaped([depth]))
    }

    /// Normalises images N x H x W x C by given statistics; all others have C values.
    package func normalised(
        mean: Variable,
        variance: Variable,
        scale: Variable,
        shift: Variable,
        epsilon: Float
    ) -> Variable {
        let (batch, _, _, depth) = imageAxes
        let factor = variance.affine(scale: 1, shift: epsilon).power(-0.5) * scale
        let offset = shift - mean * factor
        return scalingChannels(
            factor.reshaped([1, depth]).spreadOverRows(batch),
            adding: offset.reshaped([1, depth]).spreadOverRows(batch)
        )
    }
}
