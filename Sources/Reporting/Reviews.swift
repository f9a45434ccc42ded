package import Plate
package import Rules

extension Decision {
    /// What its person says; `nil` for one that was taken back.
    package var opinion: Opinion? {
        switch kind {
        case .fault: .fault
        case .falseAlarm: .falseAlarm
        case .unsure: .unsure
        case .withdrawn: nil
        }
    }

    /// Decision, note and name, for example `false-alarm: only dust (Ada)`.
    package var words: String {
        let said = [kind.rawValue, note].filter { !$0.isEmpty }.joined(separator: ": ")
        return reviewer.isEmpty ? said : "\(said) (\(reviewer))"
    }
}

/// What the reviewers of a folder say, frame by frame: the decisions that count (`DecisionLog.decisions`), put together.
///
/// A person's decision on a frame comes before theirs on its well, which holds for each flagged frame. People agree on a frame
/// where all who decided said the same; else it is disputed.
package struct Reviews: Sendable {
    /// The agreement of two people.
    package struct Pair: Sendable, Equatable {
        /// The names, in their order; empty for those who gave none.
        package let first: String
        /// The other name.
        package let second: String
        /// How far they agree.
        package let agreement: Agreement
    }

    private struct Place: Hashable {
        let run: String
        let well: Well
    }

    /// All decisions.
    package let decisions: [Decision]
    private let onFrames: [FrameID: [Decision]]
    private let onWells: [Place: [Decision]]

    /// Puts decisions together.
    package init(_ decisions: [Decision]) {
        self.decisions = decisions
        onFrames = decisions.reduce(into: [:]) { frames, decision in
            if let frame = decision.id { frames[frame, default: []].append(decision) }
        }
        onWells = Dictionary(grouping: decisions.filter { $0.frame == nil }) {
            Place(run: $0.run, well: $0.well)
        }
    }

    /// The decisions on a well as a whole.
    package func onWell(_ well: Well, run: String) -> [Decision] {
        onWells[Place(run: run, well: well)] ?? []
    }

    /// The decisions that hold for a frame; of several files that say it, for the one of this key, or for any.
    package func on(_ frame: FrameID, file key: String? = nil, isFlagged: Bool) -> [Decision] {
        let own = (onFrames[frame] ?? []).filter { $0.file.isEmpty || key == nil || $0.file == key }
        guard isFlagged else { return own }
        let people = Set(own.map(\.reviewer))
        return own + onWell(frame.well, run: frame.run).filter { !people.contains($0.reviewer) }
    }

    /// What all who decided on a frame say; `nil` where nobody did.
    package func opinion(on frame: FrameID, file key: String? = nil, isFlagged: Bool) -> Opinion? {
        Opinion(of: on(frame, file: key, isFlagged: isFlagged).compactMap(\.opinion))
    }

    /// How many frames have decisions of their own that come to this.
    package func frames(_ opinion: Opinion) -> Int {
        onFrames.values.count { Opinion(of: $0.compactMap(\.opinion)) == opinion }
    }

    /// How far each two people agree on the frames and wells that both decided on, in the order of their names.
    package var pairs: [Pair] {
        struct Subject: Hashable {
            let place: Place
            let frame: FrameID?
            let file: String
        }
        var answers: [String: [Subject: Opinion]] = [:]
        for decision in decisions {
            let place = Place(run: decision.run, well: decision.well)
            let subject = Subject(place: place, frame: decision.id, file: decision.file)
            answers[decision.reviewer, default: [:]][subject] = decision.opinion
        }
        let names = answers.keys.sorted()
        return names.indices.flatMap { index in
            names[(index + 1)...].compactMap { second in
                let (ours, theirs) = (answers[names[index]] ?? [:], answers[second] ?? [:])
                let both = ours.compactMap { subject, opinion in theirs[subject].map { (opinion, $0) } }
                return Agreement(both).map { Pair(first: names[index], second: second, agreement: $0) }
            }
        }
    }
}
