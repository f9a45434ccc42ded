import CKernels
import Mathematics
package import Plate

extension ImageScores {
    /// Takes the three scores of a median-filtered map.
    ///
    /// Windows of 16 x 16 start at multiples of 8 and lie wholly inside; a map too small for one is a window
    /// itself.
    package init(map: ScoreMap) {
        var scratch = [Double](repeating: 0, count: aqc_scores_scratch(map.width))
        var scores = aqc_scores_result()
        unsafe aqc_scores(map.values, map.height, map.width, &scores, &scratch)
        self.init(maximum: scores.maximum, mean: scores.mean, patch: scores.patch)
    }
}

extension ScoreMap {
    /// The mean over a square window around each pixel, clipped at the border; a window of 1 changes nothing.
    ///
    /// A fault is larger than the rim of a cell. Averaged over a window, rims sink and faults stay.
    package func windowMean(_ window: Int) -> ScoreMap {
        precondition(window > 0, "a window of \(window) pixels")
        guard window > 1 else { return self }
        var scratch = [Double](repeating: 0, count: aqc_window_scratch(width, window))
        let means = unsafe [Float](filling: values.count) { means in
            unsafe aqc_window_mean(values, means, height, width, window, &scratch)
        }
        return ScoreMap(height: height, width: width, values: means)
    }

    /// The pixels whose mean over a window is above a limit: those of `windowMean`, without that map in between.
    func mask(ofWindowMean window: Int, above limit: Float) -> Mask {
        precondition(window > 0, "a window of \(window) pixels")
        var scratch = [Double](repeating: 0, count: window > 1 ? aqc_window_scratch(width, window) : 0)
        let mask = unsafe [UInt8](filling: values.count) { mask in
            if window > 1 {
                unsafe aqc_window_mask(values, mask, height, width, window, limit, &scratch)
            } else {
                unsafe aqc_above(values, mask, values.count, limit)
            }
        }
        return Mask(height: height, width: width, values: mask)
    }
}
