import CKernels

/// How a group normalisation is done.
package struct GroupNormalisation: Sendable, Hashable {
    /// Groups of neighbouring channels that are normalised together; they divide the channels.
    package let groups: Int
    /// Added to the variance.
    package let epsilon: Float
    /// Whether SiLU follows in the same kernel.
    package let silu: Bool

    /// Chooses groups, the addend of the variance and whether SiLU follows.
    package init(groups: Int, epsilon: Float = 1e-5, silu: Bool = false) {
        precondition(groups > 0 && epsilon > 0, "\(groups) groups, epsilon \(epsilon)")
        (self.groups, self.epsilon, self.silu) = (groups, epsilon, silu)
    }
}

extension Variable {
    /// Group normalisation, with scale and shift per image and SiLU on request, in one kernel.
    ///
    /// Wu and He 2018, equations 1 to 3. Images are N x H x W x C, weights and bias C. `modulation` is N x 2C, an
    /// image's scales before its shifts: the result is `norm(x) (1 + scale) + shift` (Dhariwal and Nichol 2021,
    /// equation 3).
    package func groupNormalised(
        _ norm: GroupNormalisation,
        weights: Variable,
        bias: Variable,
        modulation: Variable? = nil
    ) -> Variable {
        let (batch, _, _, depth) = imageAxes
        precondition(depth % norm.groups == 0, "\(norm.groups) groups do not divide \(depth) channels")
        precondition(
            weights.shape == [depth] && bias.shape == [depth]
                && (modulation.map { $0.shape == [batch, 2 * depth] } ?? true),
            "weights \(weights.shape), bias \(bias.shape), modulation \(modulation?.shape ?? []) for \(shape)"
        )
        let (result, statistics) = KernelTimes.measure(.groupNorm) {
            value.groupNormalised(norm, weights.value, bias.value, modulation?.value)
        }
        let inputs = [self, weights, bias] + (modulation.map { [$0] } ?? [])
        return Variable(value: result, inputs: inputs) { [self] upstream in
            if Recording.isOn {
                let plain = composedGroupNorm(norm, weights: weights, bias: bias, modulation: modulation)
                return plain.propagated(upstream, to: inputs)
            }
            return value.groupNormGradient(
                norm,
                weights.value,
                bias.value,
                modulation?.value,
                statistics: statistics,
                upstream: upstream.value
            ).map { Variable(constant: $0) }
        }
    }

    /// The same from operations that can be differentiated as often as one likes.
    private func composedGroupNorm(
        _ norm: GroupNormalisation,
        weights: Variable,
        bias: Variable,
        modulation: Variable?
    ) -> Variable {
        let (batch, height, width, depth) = imageAxes
        let members = depth / norm.groups
        let share = 1 / Float(height * width * members)
        let together = (0..<depth * depth).map {
            Float($0 / depth / members == $0 % depth / members ? share : 0)
        }
        let mean = Variable(constant: Tensor(together, shape: [depth, depth]))
        func spread(_ x: Variable) -> Variable { x.spreadOverPixels(height: height, width: width) }
        func perImage(_ x: Variable) -> Variable {
            let ones = Variable(constant: Tensor(repeating: 1, shape: [batch, 1]))
            return ones.multiplied(by: x.reshaped([1, depth]))
        }
        let centred = self - spread(sumOverPixels().multiplied(by: mean))
        let variance = (centred * centred).sumOverPixels().multiplied(by: mean)
        let rate = variance.affine(scale: 1, shift: norm.epsilon).power(-0.5)
        var (scale, shift) = (perImage(weights), perImage(bias))
        if let modulation {
            let factor = modulation.channels(0..<depth).affine(scale: 1, shift: 1)
            (scale, shift) = (scale * factor, shift * factor + modulation.channels(depth..<2 * depth))
        }
        let result = centred * spread(rate * scale) + spread(shift)
        return norm.silu ? result.silu() : result
    }
}

extension Tensor {
    private func groupNormShape(_ norm: GroupNormalisation) -> aqc_group_norm_shape {
        aqc_group_norm_shape(
            batch: shape[0],
            pixels: shape[1] * shape[2],
            channels: shape[3],
            groups: norm.groups,
            epsilon: norm.epsilon,
            silu: norm.silu
        )
    }

    /// The result, and mean and inverse deviation of each image and group.
    fileprivate func groupNormalised(
        _ norm: GroupNormalisation,
        _ weights: Tensor,
        _ bias: Tensor,
        _ modulation: Tensor?
    ) -> (result: Tensor, statistics: Tensor) {
        let layout = groupNormShape(norm)
        let result = Tensor(uninitialized: shape)
        let statistics = Tensor(uninitialized: [shape[0], norm.groups, 2])
        let scratch = Tensor(uninitialized: [aqc_group_norm_scratch(layout)])
        unsafe aqc_group_norm(
            layout,
            storage.pointer,
            weights.storage.pointer,
            bias.storage.pointer,
            modulation?.storage.pointer,
            result.storage.pointer,
            statistics.storage.pointer,
            scratch.storage.pointer
        )
        return (result, statistics)
    }

    /// The gradients of images, weights, bias and, if there is one, modulation.
    fileprivate func groupNormGradient(
        _ norm: GroupNormalisation,
        _ weights: Tensor,
        _ bias: Tensor,
        _ modulation: Tensor?,
        statistics: Tensor,
        upstream: Tensor
    ) -> [Tensor] {
        let layout = groupNormShape(norm)
        let results =
            [
                Tensor(uninitialized: shape), Tensor(uninitialized: bias.shape),
                Tensor(uninitialized: bias.shape),
            ]
            + (modulation.map { [Tensor(uninitialized: $0.shape)] } ?? [])
        let scratch = Tensor(uninitialized: [aqc_group_norm_scratch(layout)])
        unsafe aqc_group_norm_gradient(
            layout,
            storage.pointer,
            weights.storage.pointer,
            bias.storage.pointer,
            modulation?.storage.pointer,
            statistics.storage.pointer,
            upstream.storage.pointer,
            results[0].storage.pointer,
            results[1].storage.pointer,
            results[2].storage.pointer,
            modulation == nil ? nil : results[3].storage.pointer,
            scratch.storage.pointer
        )
        return results
    }
}

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
