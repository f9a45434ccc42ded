import CKernels
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
