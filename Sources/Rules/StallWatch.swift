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

        /// Names the stall.
        package init(last: FrameID, isWholeRun: Bool) {
            (self.last, self.isWholeRun) = (last, isWholeRun)
        }
    }

    /// A well as it stood before the watch began.
    package struct Known: Sendable {
        /// Its last frame.
        package let frame: FrameID
        /// Whether a stall was reported after that frame.
        package let isReported: Bool

        /// Gathers the two.
        package init(frame: FrameID, isReported: Bool) {
            (self.frame, self.isReported) = (frame, isReported)
        }
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

    /// Watches wells from an earlier start as well.
    ///
    /// Their silence counts from now, as nobody knows what came meanwhile.
    package mutating func resume(_ wells: [Known], now: ContinuousClock.Instant) {
        for well in wells where runs[well.frame.run]?[well.frame.well] == nil {
            runs[well.frame.run, default: [:]][well.frame.well] = Entry(
                frame: well.frame,
                moment: now,
                isReported: well.isReported
            )
        }
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
