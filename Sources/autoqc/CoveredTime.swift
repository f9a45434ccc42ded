import Acquisition
import Detection
import Plate
import Rules
import Training

extension ModelDescription.Coverage {
    /// The wells and times of frames to calibrate on, as far as their names tell.
    init?(of frames: FrameSet) {
        guard let names = try? FramePattern(FramePattern.standard) else { return nil }
        self.init(
            (0..<frames.count).compactMap { index in
                let (path, time) = frames.place(index)
                return names.match(path: path)?.later(by: time)
            }
        )
    }
}

/// Wells whose frames creep towards the threshold or beyond it, over the frames of a list.
///
/// A model that was calibrated on the beginning of a movie has not seen what a drifting lamp or stage makes of its end.
struct CoveredTime {
    private let coverage: ModelDescription.Coverage?
    private var wells: [String: [(index: Int, severity: Double)]] = [:]
    private var threshold = Double.infinity

    /// Begins with what a model has seen.
    init(_ coverage: ModelDescription.Coverage?) { self.coverage = coverage }

    /// Takes a judged frame.
    mutating func add(_ frame: FrameID, _ judgement: Judgement) {
        wells["\(frame.run) \(frame.place)", default: []].append((frame.index, judgement.severity))
        threshold = judgement.threshold
    }

    /// A line for each well that drifts.
    var lines: [String] {
        wells.sorted { $0.key < $1.key }.compactMap { well, frames in
            let inTime = frames.sorted { $0.index < $1.index }
            guard let rise = DriftRule.rise(over: inTime.map(\.severity), threshold: threshold),
                let first = inTime.first?.index, let last = inTime.last?.index
            else { return nil }
            let seen = coverage.map { "; the model was calibrated on \($0.words)" } ?? ""
            return
                "DRIFT in \(well), frames \(first) to \(last): \(rise.words(threshold: threshold))\(seen). Calibrate on "
                + "frames from the whole time"
        }
    }
}
