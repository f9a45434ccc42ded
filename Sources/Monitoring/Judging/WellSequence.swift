import Acquisition
import Foundation
import Ledger
import Plate
import Reporting

/// The judged frames of one well in their order, and what they say together: turns, drift, a camera that is stuck.
///
/// Begins with what the ledger knows and takes the frames of a batch; it is made anew for each batch.
struct WellSequence {
    /// What a frame brings about.
    enum Event {
        case onset(Alarm.Beginning?)
        case clear
        /// The sentence says how far.
        case drift(String)
    }

    private let settings: FramePipeline.Settings
    private var state: StateHysteresis
    /// The last frames in turn.
    private var recent: [FrameLedger.WellHistory.Judged]
    /// The newest frame that the well's state goes by.
    private var newest: FrameLedger.WellHistory.Newest?
    /// How its normal frames of late looked to the model at work.
    private var past: ChangeRule
    /// Severities of the first frames by the model at work; empty where there are too few of them, or nobody asks.
    private var first: [Double] = []
    /// Index of the frame at which drift was last said.
    private var lastDrift: Int?

    /// Asks the ledger for a well's past, before so many frames more.
    init(of frame: FrameID, in ledger: FrameLedger, before count: Int, _ settings: FramePipeline.Settings)
        throws
    {
        self.settings = settings
        let rule = settings.hysteresis
        let history = try ledger.history(
            of: frame.well,
            run: frame.run,
            count: max(rule.window + 1, DriftRule.window)
        )
        state = StateHysteresis(rule: rule, verdicts: history.verdicts, isFaulty: history.isFaulty)
        recent = history.frames
        newest = history.newest
        // Figures are in the spread of what a model calls normal: those of two models cannot be compared.
        past = ChangeRule(
            try ledger.appearances(
                of: frame.well,
                run: frame.run,
                model: settings.judge.model,
                count: ChangeRule.window
            ).map { ChangeRule.Look(appearance: $0.appearance, change: $0.change) }
        )
        guard settings.drift, recent.count + count > ChangeRule.before else { return }
        first = try ledger.firstSeverities(
            of: frame.well,
            run: frame.run,
            model: settings.judge.model,
            count: DriftRule.window
        )
        // No farther back than it keeps drift silent: a well's alarms may be many.
        lastDrift = try ledger.alarms(
            run: frame.run,
            well: frame.well,
            frames: frame.index - DriftRule.silence...frame.index + count + DriftRule.silence,
            events: [.drift]
        ).last?.frame.index
    }

    /// Whether the well counts as faulty.
    var isFaulty: Bool { state.isFaulty }

    /// Whether the last frames were this very image; of a deterministic judge, scores tell that.
    func isFrozen(_ judged: Judgement) -> Bool {
        guard settings.frozenFrames > 1, judged.scores != nil else { return false }
        let before = recent.suffix(settings.frozenFrames - 1)
        return before.count == settings.frozenFrames - 1 && before.allSatisfy { $0.scores == judged.scores }
    }

    /// Whether a newer frame was judged before this one: then it says nothing about the well of now.
    ///
    /// Newer by its place in time and by when it was written, as a microscope may begin to count anew.
    mutating func isLate(_ result: PageResult) -> Bool {
        let own = FrameLedger.WellHistory.Newest(
            index: result.frame.index,
            modified: result.modified
        )
        if let newest, own.index < newest.index, own.modified < newest.modified { return true }
        newest = own
        return false
    }

    /// Takes the next frame; `change` is how far it is from the well's frames of late, where that is known.
    mutating func take(_ judged: Judgement, index: Int) -> (event: Event?, change: Double?) {
        let isNormal = judged.verdict == .normal
        let change = isNormal ? past.take(judged.appearance) : past.change(of: judged.appearance)
        return (event(of: judged, index: index, change: change), change)
    }

    private mutating func event(of judged: Judgement, index: Int, change: Double?) -> Event? {
        recent.append(
            .init(
                index: index,
                verdict: judged.verdict,
                severity: judged.severity,
                scores: judged.scores ?? .unknown
            )
        )
        switch state.take(judged.verdict) {
        case .onset: return .onset(beginning)
        case .clear: return .clear
        case nil: return drift(index: index, threshold: judged.threshold, change: change).map { .drift($0) }
        }
    }

    /// Where the fault began that just turned the well faulty.
    private var beginning: Alarm.Beginning? {
        let start = max(0, recent.count - settings.hysteresis.window)
        guard let fault = recent[start...].firstIndex(where: { $0.verdict == .faulty }) else { return nil }
        let lastGood = recent[..<fault].last { $0.verdict == .normal }
        return Alarm.Beginning(firstFaulty: recent[fault].index, lastGood: lastGood?.index)
    }

    private mutating func drift(index: Int, threshold: Double, change: Double?) -> String? {
        guard settings.drift, !state.isFaulty else { return nil }
        let silence = lastDrift.map { abs(index - $0) } ?? Int.max
        let creep = silence < DriftRule.silence ? nil : creep(threshold: threshold)
        let begun = silence < ChangeRule.silence || !past.hasJustBegun ? nil : change.map(Self.sentence)
        guard let sentence = creep ?? begun else { return nil }
        lastDrift = index
        return sentence
    }

    private func creep(threshold: Double) -> String? {
        let last = recent.suffix(DriftRule.window).map(\.severity)
        return DriftRule.rise(first: first, last: last, threshold: threshold).map {
            String(
                format: "severity rose from %.3g to %.3g of %.3g that are faulty",
                $0.from,
                $0.to,
                threshold
            )
        }
    }

    private static func sentence(of change: Double) -> String {
        String(
            format:
                "changed at once: %.1f times as far from the %d frames before as these vary; has the focus moved?",
            change,
            ChangeRule.before
        )
    }
}
