import CKernels
import Mathematics
package import Plate

/// How unlike its reconstruction an image is, per pixel; both in [0, 1].
package enum Residual: String, Sendable, Codable, CaseIterable {
    /// |difference|, in [0, 1]; what the published evaluation code computes whatever it is told.
    case l1
    /// Squared difference, in [0, 1].
    case l2
    /// Structural dissimilarity, in [0, 0.5]; see `StructuralLoss`.
    case dssim
    /// 0.5 DSSIM + 0.5 |difference|, in [0, 0.75]: the residual of the pDDPM paper.
    case l1DSSIM = "l1+dssim"

    /// The residual of one image, height x width.
    package func map(input: [Float], reconstruction: [Float], height: Int, width: Int) -> ScoreMap {
        precondition(
            input.count == height * width && reconstruction.count == input.count,
            "\(input.count) and \(reconstruction.count) pixels are not \(height) x \(width)"
        )
        let values: [Float]
        switch self {
        case .l1:
            values = unsafe [Float](filling: input.count) { map in
                unsafe aqc_absolute_difference(input, reconstruction, map, input.count)
            }
        case .l2:
            values = unsafe [Float](filling: input.count) { map in
                unsafe aqc_squared_difference(input, reconstruction, map, input.count)
            }
        case .dssim:
            values = StructuralLoss(structure: 1, absolute: 0).map(
                input: input,
                reconstruction: reconstruction,
                height: height,
                width: width
            )
        case .l1DSSIM:
            values = StructuralLoss.half.map(
                input: input,
                reconstruction: reconstruction,
                height: height,
                width: width
            )
        }
        return ScoreMap(height: height, width: width, values: values)
    }
}

/// A weighted sum of structural dissimilarity and absolute difference between images, per pixel, with its
/// gradient.
///
/// map = structure * DSSIM + absolute * |input - reconstruction|, DSSIM = clamp(1 - SSIM, 0, 1) / 2. SSIM
/// (Wang et al. 2004, equation 13) has a Gaussian window of 5 x 5 and sigma 1.5, zeros beyond the border,
/// dynamic range 1 and constants 0.01^2 and 0.03^2; the same constants hold for images in [0, 1] and in [-1,
/// 1].
///
/// Images are `count` x height x width, one after another.
package struct StructuralLoss: Sendable, Equatable {
    /// Weight of DSSIM.
    package let structure: Float
    /// Weight of the absolute difference.
    package let absolute: Float

    /// Chooses the two weights.
    package init(structure: Float, absolute: Float) {
        self.structure = structure
        self.absolute = absolute
    }

    /// 0.5 DSSIM + 0.5 |difference|: the training loss of pDDPM and the residual 'l1+ssim' of its paper.
    package static let half = StructuralLoss(structure: 0.5, absolute: 0.5)

    /// The loss of each pixel, `count` x height x width.
    package func map(
        input: [Float],
        reconstruction: [Float],
        count: Int = 1,
        height: Int,
        width: Int
    ) -> [Float] {
        check(input, reconstruction, count: count, height: height, width: width)
        var scratch = [Float](repeating: 0, count: aqc_structure_scratch(width))
        return unsafe [Float](filling: input.count) { map in
            unsafe aqc_structure_map(
                input,
                reconstruction,
                map,
                count,
                height,
                width,
                structure,
                absolute,
                &scratch
            )
        }
    }

    /// What each pixel of the reconstruction adds to the sum over pixels of `upstream` x the map; same
    /// shapes.
    package func gradient(
        input: [Float],
        reconstruction: [Float],
        upstream: [Float],
        count: Int = 1,
        height: Int,
        width: Int
    ) -> [Float] {
        check(input, reconstruction, count: count, height: height, width: width)
        precondition(upstream.count == input.count, "\(upstream.count) weights for \(input.count) pixels")
        var gradient = [Float](repeating: 0, count: input.count)
        var scratch = [Float](repeating: 0, count: aqc_structure_scratch(width))
        unsafe aqc_structure_gradient(
            input,
            reconstruction,
            upstream,
            &gradient,
            count,
            height,
            width,
            structure,
            absolute,
            &scratch
        )
        return gradient
    }

    /// The weighted mean of the map and its gradient with respect to the reconstruction.
    ///
    /// `weights` counts each pixel's loss, for example 1 in a mask and 0 outside; without it every pixel
    /// counts 1. The mean divides by the weights' sum, so all of them being 0 is a programmer's mistake.
    package func valueAndGradient(
        input: [Float],
        reconstruction: [Float],
        count: Int,
        height: Int,
        width: Int,
        weights: [Float]? = nil
    ) -> (value: Float, map: [Float], gradient: [Float]) {
        let map = map(
            input: input,
            reconstruction: reconstruction,
            count: count,
            height: height,
            width: width
        )
        let total = weights.map { $0.reduce(into: 0.0) { $0 += Double($1) } } ?? Double(map.count)
        precondition(total > 0, "weights that sum to \(total) leave no pixel to learn from")
        let scale = Float(1 / total)
        let upstream = weights.map { $0.map { $0 * scale } } ?? [Float](repeating: scale, count: map.count)
        let gradient = gradient(
            input: input,
            reconstruction: reconstruction,
            upstream: upstream,
            count: count,
            height: height,
            width: width
        )
        let value = zip(map, upstream).reduce(into: 0.0) { $0 += Double($1.0) * Double($1.1) }
        return (Float(value), map, gradient)
    }

    private func check(
        _ input: [Float],
        _ reconstruction: [Float],
        count: Int,
        height: Int,
        width: Int
    ) {
        precondition(
            count > 0 && height > 0 && width > 0 && input.count == count * height * width
                && reconstruction.count == input.count,
            "\(input.count) and \(reconstruction.count) pixels are not \(count) x \(height) x \(width)"
        )
    }
}

extension ScoreMap {
    /// Each value replaced by the median of the 5 x 5 around it; beyond the border the map is mirrored.
    ///
    /// The mirror repeats the border's own pixel (d c b a | a b c d), as SciPy's `reflect` does. A map that nobody
    /// else holds is filtered where it lies.
    package consuming func medianFiltered() -> ScoreMap {
        var map = self
        var scratch = [Float](repeating: 0, count: aqc_median_scratch(map.width))
        let (height, width) = (map.height, map.width)
        unsafe aqc_median5(&map.values, height, width, &scratch)
        return map
    }
}
