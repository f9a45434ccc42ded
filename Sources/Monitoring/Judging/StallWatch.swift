import Plate

/// Which wells stopped getting frames.
///
/// A well stalls when it got none for `limit` while another well of its run did. When a whole run gets none, one stall
/// is reported for it, on the well that was served last: the run has ended, or the microscope hangs.
struct StallWatch {
    /// A well, or a whole run, that gets no more frames.
    struct Stall: Equatable {
        /// The last frame that came.
        let last: FrameID
        /// Whether every other well of the run is silent as well.
        let isWholeRun: Bool
    }

    /// A well as it stood before the watch began.
    struct Known {
        /// Its last frame.
        let frame: FrameID
        /// Whether somebody was told that it stalled after that.
        let isReported: Bool
    }

    private struct Entry {
        let frame: FrameID
        let moment: ContinuousClock.Instant
        var isReported = false
    }

    /// The runs in progress, with the last frame of each well.
    private var runs: [String: [Well: Entry]] = [:]

    /// Whether a run is watched.
    func watches(_ run: String) -> Bool { runs[run] != nil }

    /// A frame came.
    mutating func saw(_ frame: FrameID, now: ContinuousClock.Instant) {
        runs[frame.run, default: [:]][frame.well] = Entry(frame: frame, moment: now)
    }

    /// Watches wells of before as well; their silence counts from now, as nobody knows what came meanwhile.
    mutating func resume(_ wells: [Known], now: ContinuousClock.Instant) {
        for well in wells where runs[well.frame.run]?[well.frame.well] == nil {
            runs[well.frame.run, default: [:]][well.frame.well] = Entry(
                frame: well.frame,
                moment: now,
                isReported: well.isReported
            )
        }
    }

    /// Wells that have newly stalled, each reported once; `limit` of `nil` is never.
    mutating func newStalls(limit: Duration?, now: ContinuousClock.Instant) -> [Stall] {
        guard let limit else { return [] }
        var stalls: [Stall] = []
        for (run, wells) in runs {
            guard let latest = wells.values.max(by: { $0.moment < $1.moment }) else { continue }
            if now - latest.moment >= limit {
                stalls.append(Stall(last: latest.frame, isWholeRun: true))
                // A new frame begins it anew.
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
