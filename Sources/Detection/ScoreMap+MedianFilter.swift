import CKernels
public import Plate

extension ScoreMap {
    /// Each value replaced by the median of the 5 x 5 around it; beyond the border the map is mirrored.
    ///
    /// The mirror repeats the border's own pixel (d c b a | a b c d), as SciPy's `reflect` does.
    public func medianFiltered() -> ScoreMap {
        var scratch = [Float](repeating: 0, count: 5 * (width + 4))
        var filtered = values
        unsafe aqc_median5(values, &filtered, height, width, &scratch)
        return ScoreMap(height: height, width: width, values: filtered)
    }
}
