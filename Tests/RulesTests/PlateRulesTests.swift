import Plate
import Rules
import Testing

struct PlateRulesTests {
    /// Wells of 64 positions, 8 x 8, of which some are faulty.
    private func wells(faulty isFaulty: (Well) -> Bool) -> [Well: Bool] {
        let wells = (0..<8).flatMap { row in (1...8).compactMap { Well(row: row, column: $0) } }
        return Dictionary(uniqueKeysWithValues: wells.map { ($0, isFaulty($0)) })
    }

    @Test func oneCauseIsNamedForWellsThatShareIt() throws {
        let rules = PlateRules()
        #expect(rules.patterns(wells { _ in false }) == [])
        #expect(rules.patterns(wells { $0.row == 2 }) == [.row(2)])
        #expect(rules.patterns(wells { $0.column == 7 }) == [.column(7)])
        #expect(rules.patterns(wells { $0.row % 4 == 1 && $0.column % 4 == 2 }) == [.lens(6)])
        #expect(rules.patterns(wells { _ in true }) == [.allWells])
    }

    @Test func afewFaultyWellsHaveNothingInCommon() throws {
        let rules = PlateRules()
        #expect(rules.patterns(wells { $0.row == $0.column - 1 }) == [])
        #expect(rules.patterns(wells { $0.row == 2 && $0.column < 5 }) == [])
        let two = try [#require(Well("B2")): true, #require(Well("B3")): true]
        #expect(rules.patterns(two) == [])
        #expect(rules.patterns([:]) == [])
    }

    @Test func lensesAreLeftOutWhereNobodySaysHowTheyStand() throws {
        let rules = PlateRules(lensRows: 0, lensColumns: 0)
        #expect(rules.patterns(wells { $0.row % 4 == 1 && $0.column % 4 == 2 }) == [])
    }

    @Test func theEdgeIsThatOfThePlateThatHoldsTheWells() throws {
        let plate = (0..<8).flatMap { row in (1...12).compactMap { Well(row: row, column: $0) } }
        let isEdge = { (well: Well) in well.row == 0 || well.row == 7 || well.column == 1 || well.column == 12
        }
        let states = Dictionary(uniqueKeysWithValues: plate.map { ($0, isEdge($0)) })
        #expect(PlateRules().patterns(states).contains(.edge))
    }

    @Test(arguments: [PlatePattern.allWells, .lens(6), .row(1), .row(30), .column(7), .column(24), .edge])
    func namesComeBack(_ pattern: PlatePattern) {
        #expect(PlatePattern(name: pattern.name) == pattern)
        #expect(!pattern.advice.isEmpty)
    }

    @Test(arguments: ["", "lens", "lens-x", "row-", "row-12", "all", "column-B"])
    func whatIsNoNameIsNone(_ name: String) {
        #expect(PlatePattern(name: name) == nil)
    }
}

/// What follows for the plate when a well of it changed.
struct PlateStateTests {
    private let column = ["A3", "B3", "C3", "D3"]
    private let others = ["A4", "B4", "C4", "D4", "A5", "B5", "C5", "D5"]

    private static let normal = ViewStanding(isFaulty: false, passes: true, evidence: 0)
    private static let faulty = ViewStanding(isFaulty: true, passes: false, evidence: 2)
    private static let clearing = ViewStanding(isFaulty: true, passes: true, evidence: 0.9)

    private func state(
        faulty: [String] = [],
        clearing: [String] = [],
        shifts: [(well: String, frame: Int)] = [],
        drifts: [(well: String, frame: Int)] = [],
        announced: [PlatePattern] = []
    ) throws -> PlateState {
        func alarm(_ event: Alarm.Event, _ well: String, _ frame: Int, _ pattern: String? = nil) throws
            -> Alarm
        {
            Alarm(
                time: Timestamp(nanoseconds: 1),
                event: event,
                frame: FrameID(run: "01", well: try #require(Well(well)), index: frame),
                model: "3f9ac2d41b7e",
                pattern: pattern
            )
        }
        let wells = try (column + others).map { name in
            let standing =
                faulty.contains(name)
                ? Self.faulty : clearing.contains(name) ? Self.clearing : Self.normal
            return (try #require(Well(name)), [standing])
        }
        return PlateState(
            standings: Dictionary(uniqueKeysWithValues: wells),
            changes: try shifts.map { try alarm(.shift, $0.well, $0.frame) }
                + drifts.map { try alarm(.drift, $0.well, $0.frame) },
            announced: try announced.map { try alarm(.plate, "A3", 0, $0.name) },
            at: 100,
            rules: PlateRules()
        )
    }

    private func reason(_ state: PlateState) throws -> String {
        guard case .begins(_, let reason) = try #require(state.transitions.first) else { return "" }
        return reason
    }

    @Test func aPatternIsAnnouncedOnceAndClearedWhenItDoesNotHold() throws {
        let expected = PlateState.Transition.begins(
            .column(3),
            reason: "3 of its 4 wells are faulty (A03 B03 C03): \(PlatePattern.column(3).advice)"
        )
        #expect(try state(faulty: ["A3", "B3", "C3"]).transitions == [expected])
        #expect(try state(faulty: ["A3", "B3", "C3"], announced: [.column(3)]).transitions == [])
        #expect(try state(faulty: ["A3"], announced: [.column(3)]).transitions == [.ends(.column(3))])
        let all = try state(faulty: column + others, announced: [.column(3)]).transitions
        #expect(all.first == .ends(.column(3)) && all.count == 2)
    }

    @Test func wellsThatMerelyWaitForTheirClearMakeNoPattern() throws {
        #expect(try state(clearing: column).transitions == [])
        #expect(try state(clearing: column, announced: [.column(3)]).transitions == [.ends(.column(3))])
        // Of a plate that recovers row by row, what is left is no pattern of its own.
        let left = try state(clearing: ["A3", "A4", "A5", "B3", "B4", "B5"], announced: [.allWells])
        #expect(left.transitions == [.ends(.allWells)] && left.standing.isEmpty)
    }

    @Test func theReasonOfAStandingPatternIsThatOfNow() throws {
        let three = try state(faulty: ["A3", "B3", "C3"], announced: [.column(3)]).standing
        #expect(three[.column(3)]?.hasPrefix("3 of its 4 wells are faulty (A03 B03 C03)") == true)
        let four = try state(faulty: column, announced: [.column(3)]).standing
        #expect(four[.column(3)]?.hasPrefix("4 of its 4 wells are faulty") == true)
        #expect(try state(faulty: column).standing.isEmpty, "nobody was told of it")
    }

    @Test func aWeakFaultThatStaysIsNoWaitingForClear() {
        // Each of its frames passes, and the evidence stays near its limit.
        let weak = [1.9, 1.5, 1.2].map { ViewStanding(isFaulty: true, passes: true, evidence: $0) }
        #expect(weak.allSatisfy { !$0.isClearing && [$0].isFaultyNow })
        let gone = ViewStanding(isFaulty: true, passes: true, evidence: 0.6)
        #expect(gone.isClearing && ![gone].isFaultyNow)
        #expect([gone, weak[0]].isFaultyNow, "another view of the well is faulty")
    }

    @Test func wellsThatShiftOrDriftCountWithTheFaultyOnesWhereTheFramesAreNear() throws {
        let near = [("A3", 40), ("B3", 100), ("C3", 163)]
        let states: [(state: PlateState, sentence: String)] = [
            (try state(drifts: near), "3 of its 4 wells drift (A03 B03 C03)"),
            (try state(shifts: near), "3 of its 4 wells have shifted (A03 B03 C03)"),
            (try state(shifts: near, drifts: near), "3 of its 4 wells have shifted (A03 B03 C03)"),
            (try state(shifts: [near[0]], drifts: near), "3 of its 4 wells have shifted or drift ("),
            (try state(faulty: ["D3"], drifts: near), "4 of its 4 wells are faulty or drift ("),
            (try state(faulty: ["D3"], shifts: near), "4 of its 4 wells are faulty or have shifted ("),
            (
                try state(faulty: ["D3"], shifts: [near[0]], drifts: near),
                "4 of its 4 wells are faulty, have shifted or drift ("
            ),
            (try state(faulty: ["A3", "B3", "C3"], shifts: near), "3 of its 4 wells are faulty ("),
        ]
        for (state, sentence) in states { #expect(try reason(state).hasPrefix(sentence)) }
        let far = [("A3", 36), ("B3", 100), ("C3", 164)]
        #expect(try state(drifts: far).transitions == [] && state(shifts: far).transitions == [])
    }

    @Test func anAlarmOfThePlateSpeaksForItsWellsWhileItHolds() throws {
        let well = try #require(Well("B3"))
        let other = try #require(Well("B4"))
        let standing = try state(faulty: column, announced: [.column(3)])
        #expect(standing.speaks(for: well) && !standing.speaks(for: other))
        #expect(try !state(faulty: column).speaks(for: well), "nobody was told of the column yet")
        #expect(
            try !state(faulty: ["B3"], announced: [.column(3)]).speaks(for: well),
            "it does not hold any more"
        )
    }
}
