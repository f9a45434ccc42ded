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

    private struct Entry {
        var frame: FrameID
        var moment: ContinuousClock.Instant
        var isReported = false
    }

    private var wells: [WellQueue.WellKey: Entry] = [:]
    private var endedRuns: Set<String> = []

    /// A frame came.
    mutating func saw(_ frame: FrameID, now: ContinuousClock.Instant) {
        wells[WellQueue.WellKey(frame)] = Entry(frame: frame, moment: now)
        endedRuns.remove(frame.run)
    }

    /// Wells that have newly stalled, each reported once; `limit` of `nil` is never.
    mutating func newStalls(limit: Duration?, now: ContinuousClock.Instant) -> [Stall] {
        guard let limit else { return [] }
        var stalls: [Stall] = []
        for (run, entries) in Dictionary(grouping: wells.values, by: \.frame.run)
        where !endedRuns.contains(run) {
            guard let latest = entries.max(by: { $0.moment < $1.moment }) else { continue }
            if now - latest.moment >= limit {
                endedRuns.insert(run)
                stalls.append(Stall(last: latest.frame, isWholeRun: true))
                // A run that is silent needs no memory but its name; a new frame begins it anew.
                wells = wells.filter { $0.key.run != run }
                continue
            }
            for entry in entries where !entry.isReported && now - entry.moment >= limit {
                wells[WellQueue.WellKey(entry.frame)]?.isReported = true
                stalls.append(Stall(last: entry.frame, isWholeRun: false))
            }
        }
        return stalls.sorted { $0.last < $1.last }
    }
}
