import Plate
import Rules

/// What a ledger keeps of a well, and gives to each batch.
struct KeptWell {
    var history = WellSequence.History()
    var events: [String] = []

    /// What is told of a well whose frames come in batches.
    static func told(
        _ frames: [Judgement],
        batch: Int = 1,
        settings: WellSequence.Settings = .init()
    ) -> [String] {
        var kept = KeptWell()
        for start in stride(from: 0, to: frames.count, by: batch) {
            kept.judge(frames[start..<min(frames.count, start + batch)], settings)
        }
        return kept.events
    }

    mutating func judge(_ frames: ArraySlice<Judgement>, _ settings: WellSequence.Settings) {
        var sequence = WellSequence(history, settings: settings)
        for (index, judgement) in zip(frames.indices, frames) {
            let effect = sequence.add(judgement, index: index)
            note(effect.event, index)
            keep(judgement, effect, index)
            history.isFaulty = sequence.isFaulty
            history.arrivals = sequence.arrivals
        }
        history.frames = history.frames.suffix(WellSequence.History.frames(settings))
        history.looks = history.looks.suffix(ChangeRule.window)
    }

    private mutating func note(_ event: WellSequence.Event?, _ index: Int) {
        switch event {
        case .onset(let beginning, let reason):
            let lastGood = beginning?.lastGood.map { "\($0)" } ?? "none"
            let why = reason.map { " \($0)" } ?? ""
            events.append("ONSET \(index) \(beginning?.firstFaulty ?? -1) \(lastGood)\(why)")
        case .clear: events.append("CLEAR \(index)")
        case .shift(let reason):
            events.append("SHIFT \(index) \(reason)")
            history.lastChange = index
        case .drift(let reason):
            events.append("DRIFT \(index) \(reason)")
            history.lastChange = index
        case nil: break
        }
    }

    private mutating func keep(_ judgement: Judgement, _ effect: WellSequence.Effect, _ index: Int) {
        history.frames.append(
            PastFrame(
                index: index,
                verdict: judgement.verdict,
                severity: judgement.severity,
                threshold: judgement.threshold,
                scores: judgement.scores,
                evidence: effect.evidence
            )
        )
        if index < DriftRule.window { history.firstSeverities.append(judgement.severity) }
        if judgement.verdict == .normal {
            history.looks.append(
                .init(
                    appearance: judgement.appearance,
                    // As the ledger's text has them.
                    terms: judgement.terms.map {
                        SeverityContribution(term: $0.term, value: $0.value.roundedToFourDigits)
                    },
                    change: effect.change,
                    evidence: effect.evidence,
                    arrival: effect.arrival
                )
            )
        }
    }
}
