/// What the microscope had better do, why, and what became of that.
///
/// It is `pending` until acquisition software or a person takes it. Each advice is taken once: whoever acknowledged it acts on it.
package struct Advice: Sendable, Equatable {
    /// What to do.
    package enum Action: String, Sendable, CaseIterable, Codable {
        /// Focus the wells again.
        case refocus
        /// Image the wells no more.
        case skipWell = "skip-well"
        /// Take no more images until a person has looked.
        case pause
        /// End the run.
        case stop
    }

    /// What became of it.
    package enum State: String, Sendable, CaseIterable, Codable {
        /// Nobody has answered.
        case pending
        /// Somebody acts on it.
        case acknowledged
        /// It was carried out.
        case done
        /// It is not carried out.
        case refused
        /// Its reason is gone, or nobody answered in time.
        case expired

        /// Whether an answer may still come.
        package var isOpen: Bool { self == .pending || self == .acknowledged }

        /// Whether this state may follow another one.
        package func mayFollow(_ state: State) -> Bool {
            switch state {
            case .pending: self != .pending
            case .acknowledged: !isOpen
            case .done, .refused, .expired: false
            }
        }
    }

    /// A new state of an advice, and who says so.
    package struct Answer: Sendable, Equatable {
        /// Longest note, in characters.
        package static let longestNote = 1000
        /// Longest name, in characters.
        package static let longestName = 80
        /// The name with which the daemon answers.
        package static let daemon = "autoqc"

        /// The new state.
        package let state: State
        /// Who says so, as they call themselves.
        package let by: String
        /// Their words; may be empty.
        package let note: String
        /// When.
        package let at: Timestamp

        /// Gathers an answer; note and name are cut to their longest length.
        package init(_ state: State, by: String, note: String = "", at: Timestamp) {
            (self.state, self.at) = (state, at)
            self.by = String(by.prefix(Self.longestName))
            self.note = String(note.prefix(Self.longestNote))
        }
    }

    /// What an advice is about.
    package enum Subject: Hashable, Sendable {
        /// One well.
        case well(Well)
        /// The whole plate.
        case plate

        /// What an action on wells is about.
        package init(_ action: Action, _ wells: [Well]) {
            let isOfWells = action == .refocus || action == .skipWell
            self = isOfWells && wells.count == 1 ? .well(wells[0]) : .plate
        }
    }

    /// The same for as long as the advice exists; no other advice has it.
    package let id: String
    /// The run it belongs to.
    package let run: String
    /// What to do.
    package let action: Action
    /// The wells to be refocused or skipped, in order; for the other actions those that gave rise to it.
    package let wells: [Well]
    /// Why, in a sentence.
    package let reason: String
    /// When it was given.
    package let since: Timestamp
    /// Index of the frame at which it was given.
    package let frame: Int
    /// The last answer; `nil` while it is pending.
    package private(set) var answer: Answer?
    /// Whether what gave rise to it is over; the same may then be advised again.
    package var isOver: Bool

    /// Gathers an advice.
    package init(
        id: String,
        run: String,
        action: Action,
        wells: [Well],
        reason: String,
        since: Timestamp,
        frame: Int,
        answer: Answer? = nil,
        isOver: Bool = false
    ) {
        (self.id, self.run, self.action, self.wells) = (id, run, action, wells)
        (self.reason, self.since, self.frame) = (reason, since, frame)
        (self.answer, self.isOver) = (answer, isOver)
    }

    /// What became of it.
    package var state: State { answer?.state ?? .pending }

    /// One well, or the plate.
    package var subject: Subject { Subject(action, wells) }

    /// The advice after an answer; `nil` where this answer may not follow its state.
    package func answered(_ answer: Answer) -> Advice? {
        guard answer.state.mayFollow(state) else { return nil }
        var advice = self
        advice.answer = answer
        return advice
    }
}
