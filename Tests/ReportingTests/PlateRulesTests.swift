import Plate
import Reporting
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

struct DriftRuleTests {
    private let calm = [Double](repeating: 1, count: DriftRule.window)

    @Test func aSlowRiseIsSeenBeforeTheThreshold() throws {
        let risen = [Double](repeating: 4, count: DriftRule.window)
        let rise = try #require(DriftRule.rise(first: calm, last: risen, threshold: 6))
        #expect((rise.from, rise.to) == (1, 4))
    }

    @Test func singleFramesAndSmallRisesAreNone() {
        var spiked = calm
        for index in 0..<10 { spiked[index] = 5.5 }
        #expect(DriftRule.rise(first: calm, last: spiked, threshold: 6) == nil)
        #expect(DriftRule.rise(first: calm, last: calm.map { $0 + 2 }, threshold: 6) == nil)
        #expect(DriftRule.rise(first: calm, last: Array(calm.dropLast()), threshold: 6) == nil)
        // One that was near the threshold from the start has not gone far.
        #expect(DriftRule.rise(first: calm.map { $0 + 4 }, last: calm.map { $0 + 4.6 }, threshold: 6) == nil)
        // A well that is beyond the threshold is faulty, which is said otherwise.
        #expect(DriftRule.rise(first: calm, last: calm.map { $0 + 9 }, threshold: 6) == nil)
    }
}
