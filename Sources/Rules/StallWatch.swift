package import Plate

/// Which wells stopped getting frames.
///
/// A well stalls when it got none for `limit` while another well of its run did. When a whole run gets none, one stall is
/// reported for it, on the well that was served last: the run has ended, or the microscope hangs.
package struct StallWatch: Sendable {
    /// A well, or a whole run, that gets no more frames.
    package struct Stall: Sendable, Equatable {
        /// The last frame that came.
        package let last: FrameID
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

    /// Watches no run yet.
    package init() {}

    /// Whether a run is watched.
    package func watches(_ run: String) -> Bool { runs[run] != nil }

    /// Notes that a frame came.
    package mutating func saw(_ frame: FrameID, now: ContinuousClock.Instant) {
        runs[frame.run, default: [:]][frame.well] = Entry(frame: frame, moment: now)
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

    /// Wells that have newly stalled, each reported once; a `limit` of `nil` is never.
    package mutating func newStalls(limit: Duration?, now: ContinuousClock.Instant) -> [Stall] {
        guard let limit else { return [] }
        var stalls: [Stall] = []
        for (run, wells) in runs {
            guard let latest = wells.values.max(by: { $0.moment < $1.moment }) else { continue }
            if now - latest.moment >= limit {
                stalls.append(Stall(last: latest.frame, isWholeRun: true))
                // The next frame of the run begins the watch anew.
                runs[run] = nil
                continue
            }
            for (well, entry) in wells where !entry.isReported && now - entry.moment >= limit {
                runs[run]?[well]?.isReported = true
                stalls.append(Stall(last: entry.frame, isWholeRun: false))
            }
        }
        return stalls.sorted { $0.last < $1.last }
    }
}
