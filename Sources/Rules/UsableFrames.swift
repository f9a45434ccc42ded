import Foundation
import Mathematics
package import Plate

/// Which frames of a view of a well can be used, for example to follow its cells: stretches of good frames in order of time.
///
/// A frame is good where it passes, bad where it is flagged or cannot be read. Frames that never came count as bad: the index
/// of a well's frames grows by the median of its steps. What a reviewer decided on a frame comes before its verdict.
package struct UsableFrames: Sendable {
    /// What makes a stretch of frames an interval.
    package struct Rule: Sendable, Equatable {
        /// Fewest good frames of an interval, at least 1.
        package var shortest = 5
        /// So many bad frames in a row are bridged where good frames follow.
        package var bridged = 1
        /// Whether suspect frames are good, and those that weak evidence for a fault says are unlike the well's others.
        package var suspectsAreGood = true

        /// The usual rule: five frames at least, one bad frame bridged, suspect frames used.
        package init() {}
    }

    /// How good a frame is.
    package enum Quality: Sendable {
        /// It passes.
        case good
        /// It passes, and something speaks for a fault.
        case suspect
        /// It is flagged.
        case flagged
        /// There is no verdict.
        case unreadable
    }

    /// A frame of the view.
    package struct Point: Sendable {
        /// Its place in time.
        package let index: Int
        /// How good it is.
        package let quality: Quality
        /// When its file was written; `nil` where that is not known.
        package let written: Timestamp?

        /// Gathers a frame.
        package init(index: Int, quality: Quality, written: Timestamp?) {
            (self.index, self.quality, self.written) = (index, quality, written)
        }
    }

    /// A stretch of frames that can be used, but for the bad ones that are bridged.
    package struct Interval: Sendable, Equatable {
        /// Index of its first frame.
        package let first: Int
        /// Index of its last frame.
        package let last: Int
        /// Good frames in it.
        package let frames: Int
        /// Seconds from the writing of the first frame to that of the last; `nil` where that is not known, as within one file.
        package let seconds: Double?
    }

    /// How much of a view can be used.
    package enum Verdict: String, Sendable {
        /// One interval goes from its first frame to its last.
        case usable
        /// Some intervals have some of its frames.
        case partly
        /// There is no interval.
        case not
    }

    /// The intervals, in order of time.
    package let intervals: [Interval]
    /// Frames of the view.
    package let frames: Int
    /// By how much the index of its frames usually grows.
    package let step: Int
    /// Frames that never came between its first and its last.
    package let missing: Int
    /// How much can be used.
    package let verdict: Verdict

    /// Finds the intervals of a view's frames, which come in order of index; of frames with the same index the worst counts.
    package init(_ points: [Point], rule: Rule = Rule()) {
        let steps = zip(points, points.dropFirst()).map { $1.index - $0.index }.filter { $0 > 0 }
        let step = steps.isEmpty ? 1 : max(1, Int(saturating: steps.map(Double.init).median.rounded()))
        var (intervals, missing, bad): ([Interval], Int, Int) = ([], 0, 0)
        var stretch: (first: Point, last: Point, frames: Int)?
        func end() {
            if let stretch, stretch.frames >= rule.shortest {
                intervals.append(Self.interval(stretch.first, stretch.last, frames: stretch.frames))
            }
            stretch = nil
        }
        var previous: Int?
        for (point, isGood) in Self.worst(of: points, rule) {
            let gap = previous.map { Self.missing(from: $0, to: point.index, step: step) } ?? 0
            missing += gap
            bad += gap
            previous = point.index
            guard isGood else {
                bad += 1
                continue
            }
            if bad > rule.bridged { end() }
            bad = 0
            stretch = (stretch?.first ?? point, point, (stretch?.frames ?? 0) + 1)
        }
        end()
        (self.intervals, self.missing, self.step) = (intervals, missing, step)
        frames = points.count
        verdict =
            if intervals.isEmpty {
                .not
            } else {
                intervals[0].first == points.first?.index && intervals[0].last == points.last?.index
                    ? .usable : .partly
            }
    }

    /// Frames that never came between two that follow one another.
    package static func missing(from index: Int, to next: Int, step: Int) -> Int {
        max(0, Int((Double(next - index) / Double(step)).rounded()) - 1)
    }

    /// Good frames in the intervals.
    package var usable: Int { intervals.reduce(0) { $0 + $1.frames } }
    /// Good frames in the longest interval; 0 where there is none.
    package var longest: Int { intervals.map(\.frames).max() ?? 0 }

    /// One point for each index, and whether all points of that index are good.
    static func worst(of points: [Point], _ rule: Rule) -> [(point: Point, isGood: Bool)] {
        var frames: [(point: Point, isGood: Bool)] = []
        for point in points {
            let isGood = isGood(point.quality, rule)
            if let last = frames.last, last.point.index == point.index {
                frames[frames.count - 1].isGood = last.isGood && isGood
            } else {
                frames.append((point, isGood))
            }
        }
        return frames
    }

    private static func isGood(_ quality: Quality, _ rule: Rule) -> Bool {
        switch quality {
        case .good: true
        case .suspect: rule.suspectsAreGood
        case .flagged, .unreadable: false
        }
    }

    private static func interval(_ first: Point, _ last: Point, frames: Int) -> Interval {
        var seconds: Double?
        if let start = first.written, let end = last.written, start != end || first.index == last.index {
            seconds = Double(end.nanoseconds - start.nanoseconds) / 1e9
        }
        return Interval(first: first.index, last: last.index, frames: frames, seconds: seconds)
    }
}
