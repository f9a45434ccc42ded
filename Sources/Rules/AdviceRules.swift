package import Plate

/// What the microscope is advised to do, from the wells of a run that are faulty.
///
/// - The plate is faulty where at least `share` of its wells is, of at least four imaged ones. If most of these are out of focus, all
///   wells are to be refocused; a cause that can be mended at the microscope (light, camera) is a reason to pause; any other, to stop.
/// - Else each well counts for itself. One that turns out of focus is to be refocused.
/// - What stays faulty for `patience` more frames gets the next advice: the well is to be skipped, the plate stopped.
///
/// An advice stands until what it is about is not faulty any more, or the next advice takes its place. It is not given twice
/// meanwhile, whatever became of it.
package struct AdviceRules: Sendable, Equatable {
    /// A well that counts as faulty.
    package struct FaultyWell: Sendable, Equatable {
        /// Index of the frame at which it turned faulty.
        package let onset: Int
        /// The probable cause then.
        package let cause: Cause
        /// Whether its last frames are normal, and only its `CLEAR` is still to come.
        package let isClearing: Bool

        /// Gathers the three.
        package init(onset: Int, cause: Cause, isClearing: Bool = false) {
            (self.onset, self.cause, self.isClearing) = (onset, cause, isClearing)
        }
    }

    /// The frame after which the wells are looked at.
    package struct Moment: Sendable, Equatable {
        /// Index of the frame.
        package let index: Int
        /// Its well.
        package let well: Well
        /// Whether the frame is faulty: only then has anything stayed faulty.
        package let isFaulty: Bool

        /// Gathers the three.
        package init(index: Int, well: Well, isFaulty: Bool) {
            (self.index, self.well, self.isFaulty) = (index, well, isFaulty)
        }
    }

    /// An advice that is to be given.
    package struct Proposal: Sendable, Equatable {
        /// What to do.
        package let action: Advice.Action
        /// As in `Advice`.
        package let wells: [Well]
        /// Why, in a sentence.
        package let reason: String

        /// One well, or the plate.
        package var subject: Advice.Subject { Advice.Subject(action, wells) }
    }

    /// What follows from the wells as they stand.
    package struct Changes: Sendable, Equatable {
        /// Advice whose reason is gone.
        package var over: [Advice] = []
        /// Advice that is to be given.
        package var given: [Proposal] = []
    }

    /// Half of two wells is one, which says nothing of a plate.
    private static let fewestWells = 4
    /// One well is not the plate, however small the share.
    private static let fewestFaulty = 2

    private let actions: Set<Advice.Action>
    private let share: Double
    private let patience: Int

    /// Gives these kinds of advice only; a `share` of 0 gives none on the plate.
    package init(
        actions: Set<Advice.Action> = Set(Advice.Action.allCases),
        share: Double = 0.5,
        patience: Int = 10
    ) {
        (self.actions, self.share, self.patience) = (actions, share, patience)
    }

    /// What follows from the faulty wells among those imaged; `standing` is the advice whose reason was not over.
    package func changes(
        imaged: [Well],
        faulty: [Well: FaultyWell],
        standing: [Advice],
        at moment: Moment
    ) -> Changes {
        var changes = Changes()
        // Advice on the plate stands until its wells are clear, and is not given for wells that are about to be.
        let isAdvised = standing.contains { $0.subject == .plate }
        let counted = isAdvised ? faulty : faulty.filter { !$0.value.isClearing }
        let isPlate = isPlateFaulty(imaged: imaged.count, counted.count)
        let wish = isPlate ? onPlate(imaged, counted, standing, moment) : nil
        let wishes = isPlate ? [:] : onWells(faulty, standing, moment)
        for advice in standing {
            let isOver =
                switch advice.subject {
                case .plate: advice.action != wish?.action
                case .well(let well):
                    // What was answered of a well is not asked again while the plate is faulty.
                    isPlate
                        ? advice.state == .pending || faulty[well] == nil
                        : advice.action != wishes[well]?.action
                }
            if isOver { changes.over.append(advice) }
        }
        let kept = standing.filter { !changes.over.contains($0) }
        changes.given =
            ([wish].compactMap(\.self) + wishes.sorted { $0.key < $1.key }.map(\.value)).filter { wish in
                !kept.contains { $0.action == wish.action && $0.subject == wish.subject }
            }
        return changes
    }

    /// Whether the next advice may be due with a frame that changes no well's state; `onset` looks up when its well turned faulty last.
    package func isDue(standing: [Advice], at moment: Moment, onset: () throws -> Int?) rethrows -> Bool {
        if let plate = standing.first(where: { $0.subject == .plate }) {
            return plate.action != .stop && actions.contains(.stop) && hasStayed(since: plate.frame, moment)
        }
        guard actions.contains(.skipWell),
            !standing.contains(where: { $0.action == .skipWell && $0.wells == [moment.well] })
        else { return false }
        return try onset().map { hasStayed(since: $0, moment) } ?? false
    }

    private func isPlateFaulty(imaged: Int, _ faulty: Int) -> Bool {
        share > 0 && imaged >= Self.fewestWells && faulty >= Self.fewestFaulty
            && Double(faulty) >= share * Double(imaged)
    }

    private func hasStayed(since frame: Int, _ moment: Moment) -> Bool {
        moment.isFaulty && moment.index.saturatingSubtract(frame) >= patience
    }

    private func onPlate(
        _ imaged: [Well],
        _ faulty: [Well: FaultyWell],
        _ standing: [Advice],
        _ moment: Moment
    )
        -> Proposal?
    {
        let count = "\(faulty.count) of \(imaged.count) wells are faulty"
        let wells = faulty.keys.sorted()
        let mayStop = actions.contains(.stop)
        if let before = standing.first(where: { $0.subject == .plate }) {
            guard before.action != .stop, mayStop, hasStayed(since: before.frame, moment) else {
                return Proposal(action: before.action, wells: wells, reason: before.reason)
            }
            let reason =
                "\(count), \(moment.index.saturatingSubtract(before.frame)) frames after the advice to \(before.action.rawValue)"
            return Proposal(action: .stop, wells: wells, reason: reason)
        }
        let cause = Self.mostCommon(faulty.values.map(\.cause))
        let action = [Self.remedy(for: cause), .stop].first { actions.contains($0) }
        let words = cause == .unknown ? "" : "; the likeliest cause of most is \(cause.rawValue)"
        return action.map { action in
            // The others have not been looked at since, or are about to follow.
            let wells = action == .refocus ? imaged.sorted() : wells
            return Proposal(action: action, wells: wells, reason: count + words)
        }
    }

    private func onWells(_ faulty: [Well: FaultyWell], _ standing: [Advice], _ moment: Moment)
        -> [Well: Proposal]
    {
        var wishes: [Well: Proposal] = [:]
        for (well, state) in faulty {
            let own = Set(standing.filter { $0.subject == .well(well) }.map(\.action))
            // A well that others tell of may be about to be normal.
            let isHere = well == moment.well && moment.isFaulty
            if actions.contains(.skipWell),
                own.contains(.skipWell) || isHere && hasStayed(since: state.onset, moment)
            {
                let frames = moment.index.saturatingSubtract(state.onset)
                let reason = "well \(well) has been faulty for \(frames) frames (\(state.cause.rawValue))"
                wishes[well] = Proposal(action: .skipWell, wells: [well], reason: reason)
            } else if actions.contains(.refocus),
                own.contains(.refocus) || isHere && state.cause == .zShift
            {
                let reason = "well \(well) has been out of focus since frame \(state.onset)"
                wishes[well] = Proposal(action: .refocus, wells: [well], reason: reason)
            }
        }
        return wishes
    }

    /// The cause of more than half of the wells; `unknown` for none.
    private static func mostCommon(_ causes: [Cause]) -> Cause {
        Set(causes).first { cause in 2 * causes.count { $0 == cause } > causes.count } ?? .unknown
    }

    private static func remedy(for cause: Cause) -> Advice.Action {
        switch cause {
        case .zShift: .refocus
        case .blank, .frozen, .illumination: .pause
        case .airBubble, .artifact, .contamination, .unknown: .stop
        }
    }
}
