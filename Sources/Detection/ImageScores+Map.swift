import CKernels
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
