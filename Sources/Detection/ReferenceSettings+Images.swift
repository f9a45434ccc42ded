package import Plate
import Randomness

extension ReferenceSettings {
    /// The published preprocessing of a whole frame: curvature flow, then a rescale to [0, 1].
    package func preprocessed(_ frame: Frame) -> Frame {
        CurvatureFlow(timeStep: flowTimeStep, iterations: flowIterations).smoothed(frame)
            .rescaledToUnitRange()
    }

    /// The noise field of a window, row-major.
    package func noiseField(seed: UInt64) -> [Float] {
        var generator = SplitMix64(state: seed)
        return noise.field(height: window, width: window, using: &generator)
    }

    /// The patches of a window that are noised one after another, as runs of indices of a row-major window; one for all
    /// methods but pDDPM.
    package var patches: [[Range<Int>]] {
        let side = window / patch
        return (0..<side * side).map { index in
            let (row, column) = index.quotientAndRemainder(dividingBy: side)
            return (row * patch..<(row + 1) * patch).map { line in
                let start = line * window + column * patch
                return start..<start + patch
            }
        }
    }
}
