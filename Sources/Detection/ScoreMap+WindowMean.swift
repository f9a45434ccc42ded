import CKernels
public import Plate

extension ScoreMap {
    /// The mean over a square window around each pixel, clipped at the border; a window of 1 changes nothing.
    ///
    /// A fault is larger than the rim of a cell. Averaged over a window, rims sink and faults stay.
    public func windowMean(_ window: Int) -> ScoreMap {
        precondition(window > 0, "a window of \(window) pixels")
        guard window > 1 else { return self }
        var scratch = [Double](repeating: 0, count: 2 * width)
        var means = values
        unsafe aqc_window_mean(values, &means, height, width, window, &scratch)
        return ScoreMap(height: height, width: width, values: means)
    }
}
