package import Plate
package import Rules

/// What other verdicts on the same frames change: for each view of each well, with the frame at which each turns faulty.
package struct Rejudgement {
    /// A view of a well whose frames are judged otherwise.
    package struct ChangedWell: Sendable {
        /// The run.
        package let run: String
        /// The well.
        package let well: Well
        /// What its frames show of the well.
        package let view: FrameView
        /// Frames that were judged both times.
        package let frames: Int
        /// Faulty ones before and now.
        package let faulty: (before: Int, after: Int)
        /// The frame at which the well first turns faulty, by hysteresis; `nil` where it never does.
        package let onset: (before: Int?, after: Int?)
    }

    private struct Key: Hashable {
        let run: String
        let well: Well
        let view: FrameView
    }

    private struct Frame {
        let index: Int
        let before: Verdict
        let after: Verdict
    }

    private let rule: StateHysteresis.Rule
    private var wells: [Key: [Frame]] = [:]
    /// Frames that were judged both times.
    package private(set) var frames = 0
    /// Of them, those that are faulty now and were not.
    package private(set) var turnedFaulty = 0
    /// Of them, those that were faulty and are not now.
    package private(set) var turnedNormal = 0

    /// Compares nothing yet.
    package init(rule: StateHysteresis.Rule = StateHysteresis.Rule()) {
        self.rule = rule
    }

    /// Adds a frame with its two verdicts.
    package mutating func add(_ frame: FrameID, before: Verdict, after: Verdict) {
        wells[Key(run: frame.run, well: frame.well, view: frame.view), default: []].append(
            Frame(index: frame.index, before: before, after: after)
        )
        frames += 1
        if before != after { if after == .faulty { turnedFaulty += 1 } else { turnedNormal += 1 } }
    }

    /// The wells with a frame that is judged otherwise, in the order of runs and wells.
    package var changedWells: [ChangedWell] {
        wells.filter { $0.value.contains { $0.before != $0.after } }
            .sorted { ($0.key.run, $0.key.well, $0.key.view) < ($1.key.run, $1.key.well, $1.key.view) }
            .map { key, frames in
                let ordered = frames.sorted { $0.index < $1.index }
                return ChangedWell(
                    run: key.run,
                    well: key.well,
                    view: key.view,
                    frames: frames.count,
                    faulty: (ordered.count { $0.before == .faulty }, ordered.count { $0.after == .faulty }),
                    onset: (onset(ordered, \.before), onset(ordered, \.after))
                )
            }
    }

    private func onset(_ frames: [Frame], _ verdict: KeyPath<Frame, Verdict>) -> Int? {
        var state = StateHysteresis(rule: rule)
        return frames.first { state.add($0[keyPath: verdict]) == .onset }?.index
    }
}
