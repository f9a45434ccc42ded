public import Plate

extension ScoreMap {
    /// The mean over a square window around each pixel, clipped at the border; a window of 1 changes nothing.
    ///
    /// A fault is larger than the rim of a cell. Averaged over a window, rims sink and faults stay.
    public func windowMean(_ window: Int) -> ScoreMap {
        precondition(window > 0, "a window of \(window) pixels")
        guard window > 1 else { return self }
        let columns = Self.runningMeans(
            values,
            lines: height,
            length: width,
            stride: (width, 1),
            window: window
        )
        let both = Self.runningMeans(
            columns,
            lines: width,
            length: height,
            stride: (1, width),
            window: window
        )
        return ScoreMap(height: height, width: width, values: both)
    }

    /// Means along each line by a running sum, in double so that it does not drift.
    private static func runningMeans(
        _ values: [Float],
        lines: Int,
        length: Int,
        stride: (line: Int, step: Int),
        window: Int
    ) -> [Float] {
        var result = values
        let (before, after) = (window / 2, window - window / 2)
        for line in 0..<lines {
            let start = line * stride.line
            var sum = 0.0
            for position in 0..<min(after - 1, length) {
                sum += Double(values[start + position * stride.step])
            }
            for position in 0..<length {
                let (enters, leaves) = (position + after - 1, position - before - 1)
                if enters < length { sum += Double(values[start + enters * stride.step]) }
                if leaves >= 0 { sum -= Double(values[start + leaves * stride.step]) }
                let count = min(enters, length - 1) - max(leaves, -1)
                result[start + position * stride.step] = Float(max(sum, 0) / Double(count))
            }
        }
        return result
    }
}
