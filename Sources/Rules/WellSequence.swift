import Foundation
package import Plate

/// When a well becomes faulty and when it is normal again.
///
/// A well becomes faulty with the frame that makes at least `onset` of its last `window` judged frames certainly faulty, or with the
/// one that makes the evidence over time enough (`EvidenceRule`). It is normal again with the frame that leaves none of its last
/// `window` judged frames faulty, and nothing of the evidence. The default of 2 in 3 lets one odd frame pass and needs three
/// normal frames in a row to end an alarm. 1 in 1 follows every frame.
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
    private var recent: [Frame] = []

    /// A judged frame.
    private struct Frame: Sendable, Equatable {
        let isFaulty: Bool
        let isCertain: Bool
    }

    /// Starts with the state of the well; its last frames follow by `see`, oldest first.
    package init(rule: Rule, isFaulty: Bool = false) {
        (self.rule, self.isFaulty) = (rule, isFaulty)
    }

    /// Adds a frame whose effect is known.
    ///
    /// Unreadable frames say nothing about the well.
    package mutating func see(_ verdict: Verdict, isCertain: Bool = true) {
        guard verdict != .unreadable else { return }
        recent.append(Frame(isFaulty: verdict == .faulty, isCertain: isCertain))
        recent.removeFirst(max(0, recent.count - rule.window))
    }

    /// What the well's frames together say, apart from their verdicts.
    package enum Evidence: Sendable {
        /// Nothing speaks for a fault.
        case none
        /// Something does, but not enough for an onset.
        case some
        /// The well is faulty.
        case enough
    }

    /// Adds the next frame's verdict; a faulty frame that is not certain keeps a well faulty, and turns none faulty.
    package mutating func add(
        _ verdict: Verdict,
        isCertain: Bool = true,
        evidence: Evidence = .none
    ) -> Transition? {
        guard verdict != .unreadable else { return nil }
        see(verdict, isCertain: isCertain)
        let certain = recent.count { $0.isFaulty && $0.isCertain }
        if !isFaulty, certain >= rule.onset || evidence == .enough {
            isFaulty = true
            return .onset
        }
        if isFaulty, !recent.contains(where: \.isFaulty), recent.count == rule.window, evidence == .none {
            isFaulty = false
            return .clear
        }
        return nil
    }
}

extension ViewStanding {
    /// Whether the view counts as faulty only because its `CLEAR` is still to come.
    ///
    /// Its last frame is normal, and the evidence is less than what one normal frame leaves of a fault that stays.
    package var isClearing: Bool {
        isFaulty && passes && evidence < EvidenceRule.limit - EvidenceRule.most
    }
}

extension Collection<ViewStanding> {
    /// Whether a well with these views is faulty now: one of them is, and does not merely wait for its `CLEAR`.
    package var isFaultyNow: Bool { contains { $0.isFaulty && !$0.isClearing } }
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
        /// Whether evidence over time turns the well faulty, too.
        package let evidence: Bool
        /// Whether faulty frames turn the well faulty whatever it looked like before, also below the severity `EvidenceRule.certain`.
        package let trustsThreshold: Bool

        /// Gathers the settings.
        package init(
            hysteresis: StateHysteresis.Rule = .init(),
            frozenFrames: Int = 0,
            drift: Bool = true,
            evidence: Bool = true,
            trustsThreshold: Bool = false
        ) {
            (self.hysteresis, self.frozenFrames) = (hysteresis, frozenFrames)
            (self.drift, self.evidence, self.trustsThreshold) = (drift, evidence, trustsThreshold)
        }

        /// Whether a faulty frame is one whatever its well looked like before: its severity is large, or it is faulty for another
        /// reason than its severity, as a frozen image is.
        func isCertain(severity: Double, threshold: Double) -> Bool {
            let isClose = severity > threshold && severity < EvidenceRule.certain
            return !evidence || trustsThreshold || !isClose
        }

        fileprivate func isCertain(_ frame: PastFrame) -> Bool {
            isCertain(severity: frame.severity, threshold: frame.threshold)
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
        /// What the next frame's detail is compared with.
        package var arrivals = ArrivalRule()
        /// Severities of the well's first `DriftRule.window` frames by the model at work.
        package var firstSeverities: [Double] = []
        /// Index of the frame at which a shift or drift was told last; `nil` where none was within `DriftRule.silence` frames.
        package var lastChange: Int?

        /// The history of a new well.
        package init() {}

        /// How many of the last judged frames the rules look at: a weak fault can take `ChangeRule.patience` frames to show.
        package static func frames(_ settings: Settings) -> Int {
            max(
                settings.hysteresis.window + 1,
                settings.frozenFrames,
                DriftRule.window,
                ChangeRule.patience + 1
            )
        }
    }

    /// What a frame brings about.
    package enum Event: Sendable, Equatable {
        /// The well became faulty; the fault began between the two frames. The sentence says why, where no single frame does.
        case onset(Alarm.Beginning?, reason: String?)
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
    /// The newest frame; `nil` for a new well.
    package private(set) var newest: PlaceInTime?
    private var looks: ChangeRule
    private var evidence: EvidenceRule
    /// What the next frame's detail is compared with.
    package private(set) var arrivals: ArrivalRule
    private var firstSeverities: [Double]
    private var lastChange: Int?

    /// Starts with what is known of the well.
    package init(_ history: History, settings: Settings) {
        self.settings = settings
        state = StateHysteresis(rule: settings.hysteresis, isFaulty: history.isFaulty)
        for frame in history.frames { state.see(frame.verdict, isCertain: settings.isCertain(frame)) }
        recent = history.frames
        newest = history.newest
        looks = ChangeRule(history.looks)
        evidence = EvidenceRule(history.looks, sum: history.frames.last?.evidence ?? 0)
        arrivals = history.arrivals
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

    /// What a frame brings about, and what is to be recorded of it.
    package struct Effect: Sendable {
        /// What happened.
        package let event: Event?
        /// How far the frame is from the well's recent frames; `nil` where that is not known.
        package let change: Double?
        /// The evidence for a fault up to it; `nil` where that is not known.
        package let evidence: Double?
        /// The size of what is new in the frame; `nil` where that is not known.
        package let arrival: Double?
    }

    /// Adds the next frame.
    package mutating func add(_ judgement: Judgement, index: Int) -> Effect {
        let change =
            judgement.verdict == .normal
            ? looks.add(judgement.appearance) : looks.change(of: judgement.appearance)
        let arrival = settings.evidence ? judgement.detail.flatMap { arrivals.add($0) } : nil
        let isCertain = settings.isCertain(severity: judgement.severity, threshold: judgement.threshold)
        let sum =
            settings.evidence
            ? evidence.add(judgement, isCertain: isCertain, change: change, arrival: arrival) : nil
        // No more than a history has, so that it does not matter where a batch began.
        recent.removeFirst(max(0, recent.count - History.frames(settings)))
        let past = PastFrame(
            index: index,
            verdict: judgement.verdict,
            severity: judgement.severity,
            threshold: judgement.threshold,
            scores: judgement.scores,
            evidence: sum
        )
        recent.append(past)
        if settings.evidence, past.isQuiet { arrivals.settle(on: judgement.detail) }
        let event: Event? =
            switch state.add(judgement.verdict, isCertain: isCertain, evidence: gathered) {
            case .onset: onset
            case .clear: .clear
            case nil: changeEvent(index: index, threshold: judgement.threshold, change: change)
            }
        if firstSeverities.count < DriftRule.window { firstSeverities.append(judgement.severity) }
        return Effect(event: event, change: change, evidence: sum, arrival: arrival?.size)
    }

    private var gathered: StateHysteresis.Evidence {
        guard settings.evidence, !evidence.isGone else { return .none }
        return evidence.isEnough ? .enough : .some
    }

    /// Where the fault began that just made the well faulty: with the first faulty frame, or where the evidence began to grow.
    private var onset: Event {
        let window = recent.suffix(settings.hysteresis.window)
        let faulty = window.filter { $0.verdict == .faulty && settings.isCertain($0) }
        if faulty.count >= settings.hysteresis.onset {
            let first = window.firstIndex { $0.verdict == .faulty }
            return .onset(first.map(beginning), reason: nil)
        }
        let calm = recent.lastIndex { ($0.evidence ?? 0) <= 0 }
        let first = calm.map { $0 + 1 } ?? recent.startIndex
        return .onset(beginning(first), reason: evidence.words(recent.endIndex - first))
    }

    private func beginning(_ first: Int) -> Alarm.Beginning {
        let lastGood = recent[..<first].last { $0.verdict == .normal }
        return Alarm.Beginning(firstFaulty: recent[first].index, lastGood: lastGood?.index)
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
