import CKernels
package import Plate

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
