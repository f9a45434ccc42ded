import Mathematics
package import Plate

/// Which wells stopped getting frames.
///
/// A well stalls when it got none for `Limit` while another well of its run did and is ahead of it: the last round of a run is no stall
/// of each well. When a whole run gets none, one stall is
/// reported for it, on the well that was served last: the run has ended, or the microscope hangs.
package struct StallWatch: Sendable {
    /// How long a silence may be.
    package enum Limit: Sendable, Equatable {
        /// As long as it likes.
        case never
        /// Ten times the usual time between two frames of a well, and a minute at least.
        case automatic
        /// So long.
        case after(Duration)
    }

    /// A well, or a whole run, that gets no more frames.
    package struct Stall: Sendable, Equatable {
        /// The last frame that came.
        package let last: FrameID
        /// How long a silence may be.
        package let limit: Duration
        /// Whether every other well of the run is silent as well.
        package let isWholeRun: Bool
    }

    private struct Entry {
        let frame: FrameID
        let moment: ContinuousClock.Instant
        var isReported = false
    }

    /// The runs in progress, with the last frame of each well.
    private var runs: [String: [Well: Entry]] = [:]
    /// The last times between two frames of a well, in s.
    private var intervals: [Double] = []
    /// How many of them are kept, and how many make a usual time.
    private static let (kept, enough) = (256, 16)
    /// The shortest silence that is reported by itself.
    package static let shortest = Duration.seconds(60)

    /// Watches no run yet.
    package init() {}

    /// How long a silence may be; `nil` for ever, and while too few frames came to say what is usual.
    package func duration(_ limit: Limit) -> Duration? {
        switch limit {
        case .never: nil
        case .after(let time): time
        case .automatic:
            intervals.count < Self.enough
                ? nil : max(Self.shortest, .seconds(10 * intervals.median))
        }
    }

    /// Whether a run is watched.
    package func watches(_ run: String) -> Bool { runs[run] != nil }

    /// Notes that a frame came.
    package mutating func saw(_ frame: FrameID, now: ContinuousClock.Instant) {
        let before = runs[frame.run, default: [:]].updateValue(
            Entry(frame: frame, moment: now),
            forKey: frame.well
        )
        guard let before, before.frame.index < frame.index else { return }
        let frames = Double(frame.index) - Double(before.frame.index)
        intervals.append((now - before.moment) / .seconds(1) / max(1, frames))
        intervals.removeFirst(max(0, intervals.count - Self.kept))
    }

    /// Watches a well from an earlier start as well, by its last frame.
    ///
    /// Its silence counts from now, as nobody knows what came meanwhile. `isReported` says whether a stall was reported after
    /// that frame.
    package mutating func resume(_ frame: FrameID, isReported: Bool, now: ContinuousClock.Instant) {
        guard runs[frame.run]?[frame.well] == nil else { return }
        let entry = Entry(frame: frame, moment: now, isReported: isReported)
        runs[frame.run, default: [:]][frame.well] = entry
    }

    /// Wells that have newly stalled, each reported once.
    package mutating func newStalls(limit: Limit, now: ContinuousClock.Instant) -> [Stall] {
        guard let limit = duration(limit) else { return [] }
        var stalls: [Stall] = []
        for (run, wells) in runs {
            guard let latest = wells.values.max(by: { $0.moment < $1.moment }) else { continue }
            if now - latest.moment >= limit {
                stalls.append(Stall(last: latest.frame, limit: limit, isWholeRun: true))
                // The next frame of the run begins the watch anew.
                runs[run] = nil
                continue
            }
            let newest = wells.values.map(\.frame.index).max() ?? 0
            for (well, entry) in wells where !entry.isReported && now - entry.moment >= limit {
                guard entry.frame.index < newest || latest.moment - entry.moment >= limit else { continue }
                runs[run]?[well]?.isReported = true
                stalls.append(Stall(last: entry.frame, limit: limit, isWholeRun: false))
            }
        }
        return stalls.sorted { $0.last < $1.last }
    }
}
