import Mathematics

/// Whether a frame looks otherwise than its well did just before: the focus moved by some 15 um, say, or the cells are gone.
///
/// Wells differ by more than that in focus, cells and light, so a frame by itself hides it; a well's own past does not. The
/// change of a frame is its distance from the last `before` calm frames: the root mean square over the figures of its
/// appearance (`Judgement.appearance`) of how far each is from their median, in their spread (from the median absolute
/// deviation). A frame that changed is no past for later ones, so a change stays visible while it lasts; after `patience`
/// frames the well counts as being like that, and its past begins anew.
package struct ChangeRule: Sendable {
    /// A normal frame of the past.
    package struct Look: Sendable {
        let appearance: [Float]
        /// `nil` where there was too little past to tell.
        let change: Double?

        /// Gathers a frame.
        package init(appearance: [Float], change: Double?) {
            (self.appearance, self.change) = (appearance, change)
        }

        fileprivate var isCalm: Bool { change.map { $0 <= ChangeRule.limit } ?? true }
    }

    /// Change above which a frame looks otherwise.
    package static let limit = 5.0
    /// Calm frames that say what the well was like.
    package static let before = 12
    /// Frames in a row until a change is how the well is now: some 8 minutes at a frame per 8 s.
    static let patience = 64
    /// Frames of the past that are looked at.
    package static let window = patience + before
    /// Frames of a well until another change is said.
    package static let silence = patience
    /// Spread that any well may have, of that of normal tiles.
    private static let smallestSpread: Float = 0.01
    /// Spreads that no figure counts beyond: one alone does not say everything.
    private static let farthest: Float = 50
    /// Of a Gaussian, standard deviations in a median absolute deviation.
    private static let gaussian: Float = 1.4826

    private var looks: [Look]

    /// Takes the last `window` normal frames of a well, oldest first.
    package init(_ looks: [Look]) { self.looks = looks }

    /// Takes the well's next normal frame, and returns how far it is from those before; `nil` where these are too few.
    package mutating func take(_ appearance: [Float]) -> Double? {
        let change = change(of: appearance)
        looks.append(Look(appearance: appearance, change: change))
        looks.removeFirst(max(0, looks.count - Self.window))
        return change
    }

    /// How far a frame is from the well's calm frames of late; `nil` where these are too few.
    package func change(of appearance: [Float]) -> Double? {
        guard let past, !appearance.isEmpty, past.allSatisfy({ $0.count == appearance.count }) else {
            return nil
        }
        let squares = appearance.indices.map { index in
            let figures = past.map { $0[index] }
            let middle = figures.median
            let spread = Self.gaussian * figures.map { abs($0 - middle) }.median
            let distance = min(
                abs(appearance[index] - middle) / max(spread, Self.smallestSpread),
                Self.farthest
            )
            return Double(distance * distance)
        }
        return (squares.reduce(0, +) / Double(squares.count)).squareRoot()
    }

    /// Whether the last two frames look otherwise and the one before them did not: a single odd frame is no change.
    package var hasJustBegun: Bool {
        let last = looks.suffix(3).map(\.isCalm)
        return last.suffix(2) == [false, false] && last != [false, false, false]
    }

    /// The calm frames of late, `before` of them.
    private var past: [[Float]]? {
        let last = looks.suffix(Self.patience)
        guard last.count < Self.patience || last.contains(where: \.isCalm) else { return nil }
        var calm: [[Float]] = []
        var isUnknown = false
        for look in looks.reversed() where calm.count < Self.before {
            // What lies before frames that had no past is another time.
            if look.change == nil { isUnknown = true } else if isUnknown { break }
            if look.isCalm { calm.append(look.appearance) }
        }
        return calm.count == Self.before ? calm : nil
    }
}
