import Foundation
package import Plate

/// When a well becomes faulty and when it is normal again.
///
/// A well becomes faulty with the frame that makes at least `onset` of its last `window` judged frames faulty. It is normal
/// again with the frame that leaves none of its last `window` judged frames faulty. The default of 2 in 3 lets one odd frame
/// pass and needs three normal frames in a row to end an alarm. 1 in 1 follows every frame.
package struct StateHysteresis: Sendable, Equatable {
    /// A change of a well's state.
    package enum Transition: Sendable, Equatable {
        /// The well became faulty.
        case onset
        /// The well is normal again.
        case clear
    }

    /// The figures of the rule.
    package struct Rule: Sendable, Equatable {
        /// Faulty frames that make a well faulty, from 1 to `window`.
        package let onset: Int
        /// Judged frames that are looked at.
        package let window: Int

        /// The rule `onset` of `window`; other figures than 1 <= onset <= window are a programmer's mistake.
        package init(onset: Int = 2, window: Int = 3) {
            precondition(1 <= onset && onset <= window, "\(onset) faulty of \(window) frames")
            self.onset = onset
            self.window = window
        }
    }

    /// The figures of the rule.
    package let rule: Rule
    /// Whether the well counts as faulty.
    package private(set) var isFaulty: Bool
    private var recent: [Bool]

    /// Starts with what is known: the last verdicts, oldest first, and the state they left the well in.
    package init(rule: Rule, verdicts: [Verdict] = [], isFaulty: Bool = false) {
        self.rule = rule
        self.isFaulty = isFaulty
        recent = verdicts.filter { $0 != .unreadable }.suffix(rule.window).map { $0 == .faulty }
    }

    /// Adds the next frame's verdict.
    ///
    /// Unreadable frames say nothing about the well.
    package mutating func add(_ verdict: Verdict) -> Transition? {
        guard verdict != .unreadable else { return nil }
        recent.append(verdict == .faulty)
        recent.removeFirst(max(0, recent.count - rule.window))
        let faulty = recent.count { $0 }
        if !isFaulty, faulty >= rule.onset {
            isFaulty = true
            return .onset
        }
        if isFaulty, faulty == 0, recent.count == rule.window {
            isFaulty = false
            return .clear
        }
        return nil
    }
}

/// The judged frames of one well in their order, and the events that follow from them: onset, clear, shift and drift.
///
/// It begins with the well's history and is fed one frame after another. Whoever keeps the history can make it anew at any frame
/// and gets the same events.
package struct WellSequence: Sendable {
    /// How a well is watched.
    package struct Settings: Sendable, Equatable {
        /// When the well becomes faulty, and normal again.
        package let hysteresis: StateHysteresis.Rule
        /// How often in a row the same image may come before the camera counts as frozen; 0 for never.
        package let frozenFrames: Int
        /// Whether shift and drift are told of a well whose frames still pass.
        package let drift: Bool

        /// Gathers the settings.
        package init(hysteresis: StateHysteresis.Rule = .init(), frozenFrames: Int = 0, drift: Bool = true) {
            (self.hysteresis, self.frozenFrames, self.drift) = (hysteresis, frozenFrames, drift)
        }
    }

    /// What is known of a well before its next frame.
    package struct History: Sendable {
        /// The last judged frames, oldest first, without those that were judged after newer ones: at least `frames(_:)` of them
        /// where there are so many.
        package var frames: [PastFrame] = []
        /// Whether the well counts as faulty after the last of them.
        package var isFaulty = false
        /// The newest frame; `nil` for a new well.
        package var newest: PlaceInTime?
        /// The last `ChangeRule.window` normal frames by the model at work, oldest first.
        package var looks: [ChangeRule.Look] = []
        /// Severities of the well's first `DriftRule.window` frames by the model at work.
        package var firstSeverities: [Double] = []
        /// Index of the frame at which a shift or drift was told last; `nil` where none was within `DriftRule.silence` frames.
        package var lastChange: Int?

        /// The history of a new well.
        package init() {}

        /// How many of the last judged frames the rules look at.
        package static func frames(_ settings: Settings) -> Int {
            max(settings.hysteresis.window + 1, settings.frozenFrames, DriftRule.window)
        }
    }

    /// What a frame brings about.
    package enum Event: Sendable, Equatable {
        /// The well became faulty; the fault began between the two frames.
        case onset(Alarm.Beginning?)
        /// The well is normal again.
        case clear
        /// The well's frames pass, but look different at once; the sentence says how much.
        case shift(String)
        /// The well's frames pass, but their severity creeps towards the threshold; the sentence says how far.
        case drift(String)
    }

    private let settings: Settings
    private var state: StateHysteresis
    private var recent: [PastFrame]
    private var newest: PlaceInTime?
    private var looks: ChangeRule
    private let firstSeverities: [Double]
    private var lastChange: Int?

    /// Starts with what is known of the well.
    package init(_ history: History, settings: Settings) {
        self.settings = settings
        state = StateHysteresis(
            rule: settings.hysteresis,
            verdicts: history.frames.map(\.verdict),
            isFaulty: history.isFaulty
        )
        recent = history.frames
        newest = history.newest
        looks = ChangeRule(history.looks)
        firstSeverities = history.firstSeverities
        lastChange = history.lastChange
    }

    /// Whether the well counts as faulty.
    package var isFaulty: Bool { state.isFaulty }

    /// Whether a frame is the same image as the frames before it.
    ///
    /// A judge is deterministic: the same scores are the same image.
    package func isFrozen(_ judgement: Judgement) -> Bool {
        guard settings.frozenFrames > 1, let scores = judgement.scores else { return false }
        let before = recent.suffix(settings.frozenFrames - 1)
        return before.count == settings.frozenFrames - 1 && before.allSatisfy { $0.scores == scores }
    }

    /// Whether a newer frame was judged before this one, which then says nothing about the well's present state.
    ///
    /// Newer by its place in time and by when it was written, as a microscope may begin to count anew.
    package mutating func isLate(_ place: PlaceInTime) -> Bool {
        if let newest, place.index < newest.index, place.modified < newest.modified { return true }
        newest = place
        return false
    }

    /// Adds the next frame.
    ///
    /// `change` is how far the frame is from the well's recent frames; `nil` where that is not known.
    package mutating func add(_ judgement: Judgement, index: Int) -> (event: Event?, change: Double?) {
        let change =
            judgement.verdict == .normal
            ? looks.add(judgement.appearance) : looks.change(of: judgement.appearance)
        recent.append(
            PastFrame(
                index: index,
                verdict: judgement.verdict,
                severity: judgement.severity,
                scores: judgement.scores
            )
        )
        switch state.add(judgement.verdict) {
        case .onset: return (.onset(beginning), change)
        case .clear: return (.clear, change)
        case nil: return (changeEvent(index: index, threshold: judgement.threshold, change: change), change)
        }
    }

    /// Where the fault began that just made the well faulty.
    private var beginning: Alarm.Beginning? {
        let start = max(0, recent.count - settings.hysteresis.window)
        guard let fault = recent[start...].firstIndex(where: { $0.verdict == .faulty }) else { return nil }
        let lastGood = recent[..<fault].last { $0.verdict == .normal }
        return Alarm.Beginning(firstFaulty: recent[fault].index, lastGood: lastGood?.index)
    }

    private mutating func changeEvent(index: Int, threshold: Double, change: Double?) -> Event? {
        guard settings.drift, !state.isFaulty else { return nil }
        let silence = lastChange.map { abs(index - $0) } ?? Int.max
        var event: Event?
        if silence >= DriftRule.silence, let rise = rise(threshold: threshold) {
            event = .drift(rise.words(threshold: threshold))
        } else if silence >= ChangeRule.silence, looks.hasJustBegun, let change {
            event = .shift(ChangeRule.words(change))
        }
        if event != nil { lastChange = index }
        return event
    }

    private func rise(threshold: Double) -> DriftRule.Rise? {
        let last = recent.suffix(DriftRule.window).map(\.severity)
        return DriftRule.rise(first: firstSeverities, last: last, threshold: threshold)
    }
}
