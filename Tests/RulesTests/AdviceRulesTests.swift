import Plate
import Testing

@testable import Rules

struct AdviceRulesTests {
    private typealias FaultyWell = AdviceRules.FaultyWell

    private let eight = ["A1", "A2", "A3", "A4", "B1", "B2", "B3", "B4"]

    private func faulty(_ names: some Sequence<String>, _ cause: Cause = .unknown, since onset: Int = 20)
        throws
        -> [Well: FaultyWell]
    {
        let wells = try names.map { (try #require(Well($0)), FaultyWell(onset: onset, cause: cause)) }
        return Dictionary(uniqueKeysWithValues: wells)
    }

    private func given(
        _ action: Advice.Action,
        _ names: [String],
        frame: Int = 20,
        _ state: Advice.State = .pending
    ) throws -> Advice {
        let advice = Advice(
            id: "\(action) \(names)",
            run: "01",
            action: action,
            wells: try names.map { try #require(Well($0)) },
            reason: "given before",
            since: Timestamp(nanoseconds: 0),
            frame: frame
        )
        guard state != .pending else { return advice }
        return try #require(advice.answered(.init(state, by: "scope", at: Timestamp(nanoseconds: 1))))
    }

    private func changes(
        _ faulty: [Well: FaultyWell],
        imaged: Int = 8,
        standing: [Advice] = [],
        at index: Int = 21,
        isFaulty: Bool = true,
        rules: AdviceRules = AdviceRules()
    ) throws -> AdviceRules.Changes {
        let moment = try moment(index, isFaulty: isFaulty)
        let imaged = try eight[..<imaged].map { try #require(Well($0)) }
        return rules.changes(imaged: imaged, faulty: faulty, standing: standing, at: moment)
    }

    /// A frame of well A1.
    private func moment(_ index: Int, isFaulty: Bool = true) throws -> AdviceRules.Moment {
        AdviceRules.Moment(index: index, well: try #require(Well("A1")), isFaulty: isFaulty)
    }

    @Test func wellsThatMerelyWaitForTheirClearAreNoReasonForAdviceOnThePlate() throws {
        let clearing = try faulty(eight).mapValues {
            FaultyWell(onset: $0.onset, cause: $0.cause, isClearing: true)
        }
        #expect(try changes(clearing) == .init())
        let one = clearing.merging(try faulty(["A1"])) { $1 }
        #expect(try changes(one).given.isEmpty)
        let advice = try given(.stop, eight)
        #expect(try changes(clearing, standing: [advice]).over.isEmpty, "it stands until they are clear")
    }

    @Test(
        arguments: zip(
            Cause.allCases,
            [.stop, .stop, .refocus, .pause, .stop, .pause, .pause, .stop] as [Advice.Action]
        )
    )
    func theCauseOfMostWellsSaysWhatToDoForThePlate(cause: Cause, action: Advice.Action) throws {
        let found = try changes(faulty(eight[..<4], cause))
        #expect(found.over.isEmpty && found.given.map(\.action) == [action])
        let wells = action == .refocus ? eight : Array(eight[..<4])
        #expect(try found.given.first?.wells == wells.map { try #require(Well($0)) })
        #expect(found.given.first?.reason.hasPrefix("4 of 8 wells are faulty") == true)
    }

    @Test func thePlateIsFaultyFromAShareOfItsWellsOn() throws {
        let three = try faulty(eight[..<3])
        #expect(try changes(three).given.isEmpty)
        #expect(try changes(three, rules: AdviceRules(share: 0.3)).given.map(\.action) == [.stop])
        // Half of two wells is one, which says nothing of a plate.
        #expect(try changes(three, imaged: 3).given.isEmpty)
        #expect(try changes(faulty(eight), rules: AdviceRules(share: 0)).given.isEmpty)
        #expect(try changes(faulty(["A1"]), rules: AdviceRules(share: 0.01)).given.isEmpty)
    }

    @Test func aPlateThatStaysFaultyIsToBeStopped() throws {
        let wells = try faulty(eight[..<4], .blank)
        let pause = try given(.pause, Array(eight[..<4]), .done)
        #expect(try changes(wells, standing: [pause], at: 29) == AdviceRules.Changes())
        let later = try changes(wells, standing: [pause], at: 30)
        // Its last wells may be about to be normal.
        #expect(try changes(wells, standing: [pause], at: 30, isFaulty: false) == AdviceRules.Changes())
        #expect(later.over == [pause] && later.given.map(\.action) == [.stop])
        #expect(later.given.first?.reason == "4 of 8 wells are faulty, 10 frames after the advice to pause")
        // Nothing follows the advice to stop, and it is given once.
        let stop = try given(.stop, Array(eight[..<4]), frame: 30, .refused)
        #expect(try changes(wells, standing: [stop], at: 90) == AdviceRules.Changes())
        #expect(try changes([:], standing: [stop], at: 91).over == [stop])
    }

    @Test func aWellOutOfFocusIsToBeRefocusedAndSkippedWhereItStaysFaulty() throws {
        let well = try faulty(["A1"], .zShift)
        #expect(try changes(well, isFaulty: false).given.isEmpty, "it may be about to be normal")
        #expect(try changes(well).given.map(\.action) == [.refocus])
        let refocus = try given(.refocus, ["A1"], .done)
        #expect(try changes(well, standing: [refocus], at: 29) == AdviceRules.Changes())
        let later = try changes(well, standing: [refocus], at: 30)
        #expect(later.over == [refocus] && later.given.map(\.action) == [.skipWell])
        #expect(later.given.first?.reason == "well A01 has been faulty for 10 frames (z-shift)")
        let others = try faulty(["A1", "B1"], .contamination)
        #expect(
            try changes(others, at: 30).given.map(\.wells) == [[#require(Well("A1"))]],
            "B1 comes with its own frame"
        )
        let skip = try given(.skipWell, ["A1"], frame: 30)
        #expect(try changes(well, standing: [skip], at: 31) == AdviceRules.Changes())
        #expect(try changes([:], standing: [skip], at: 32).over == [skip])
    }

    @Test func anAdviceOnThePlateSpeaksForItsWells() throws {
        let pending = try given(.refocus, ["A1"])
        let answered = try given(.skipWell, ["A2"], .acknowledged)
        let found = try changes(faulty(eight[..<4], .zShift), standing: [pending, answered])
        #expect(found.over == [pending], "what somebody acts on stays as it is")
        #expect(found.given.map(\.action) == [.refocus] && found.given.first?.wells.count == 8)
    }

    @Test func onlyWantedAdviceIsGiven() throws {
        let stop = AdviceRules(actions: [.stop])
        #expect(try changes(faulty(eight[..<4], .blank), rules: stop).given.map(\.action) == [.stop])
        #expect(try changes(faulty(["A1"], .zShift), at: 90, rules: stop).given.isEmpty)
        let none = AdviceRules(actions: [])
        #expect(try changes(faulty(eight), at: 90, rules: none).given.isEmpty)
        #expect(try !none.isDue(standing: [], at: moment(90)) { 20 })
    }

    @Test func aFaultyFrameIsLookedAtWhenTheNextAdviceMayBeDue() throws {
        let rules = AdviceRules()
        func isDue(_ index: Int, _ standing: Advice...) throws -> Bool {
            try rules.isDue(standing: standing, at: moment(index)) { 20 }
        }
        #expect(try !isDue(29) && isDue(30))
        #expect(try !isDue(30, given(.skipWell, ["A1"])))
        let pause = try given(.pause, eight, frame: 25)
        #expect(try !isDue(34, pause) && isDue(35, pause))
        #expect(try !isDue(90, given(.stop, eight)))
    }
}
