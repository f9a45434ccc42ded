import Plate
import Rules
import Testing

struct StateHysteresisTests {
    @Test(arguments: [
        (1, 1, "..#.##..", "..OCO.C."), (2, 3, ".#..#.#...#", "......O..C."),
        (2, 3, "##...##", ".O..C.O"), (3, 3, "##.###...", ".....O..C"),
        (2, 5, "#...#.....#....#", "....O....C......"),
    ])
    func changesByItsRule(onset: Int, window: Int, frames: String, expected: String) {
        var state = StateHysteresis(rule: StateHysteresis.Rule(onset: onset, window: window))
        let said = frames.map { frame in
            switch state.add(frame == "#" ? .faulty : .normal) {
            case .onset: "O"
            case .clear: "C"
            case nil: "."
            }
        }
        #expect(said.joined() == expected)
    }

    @Test func aReplayedStateGoesOnLikeTheLivingOne() {
        let rule = StateHysteresis.Rule(onset: 2, window: 4)
        let verdicts: [Verdict] = "#..##...#..#.....#".map { $0 == "#" ? .faulty : .normal }
        var living = StateHysteresis(rule: rule)
        for (index, verdict) in verdicts.enumerated() {
            var replayed = StateHysteresis(rule: rule, isFaulty: living.isFaulty)
            for known in verdicts[..<index].suffix(rule.window) { replayed.see(known) }
            #expect(replayed.add(verdict) == living.add(verdict))
            #expect(replayed == living)
        }
    }

    @Test func aFaultyFrameThatIsNotCertainKeepsAWellFaultyAndTurnsNoneFaulty() {
        var state = StateHysteresis(rule: StateHysteresis.Rule(onset: 1, window: 2))
        #expect(state.add(.faulty, isCertain: false) == nil)
        #expect(state.add(.faulty) == .onset)
        for _ in 0..<3 { #expect(state.add(.faulty, isCertain: false) == nil) }
        #expect(state.isFaulty)
        #expect([state.add(.normal), state.add(.normal)] == [nil, .clear])
    }

    @Test func unreadableFramesSayNothing() {
        var state = StateHysteresis(rule: StateHysteresis.Rule(onset: 1, window: 1))
        #expect(state.add(.unreadable) == nil)
        #expect(state.add(.faulty) == .onset)
        #expect(state.add(.unreadable) == nil)
        #expect(state.isFaulty)
    }
}

/// The frames of a well, one by one.
struct WellSequenceTests {
    private static let threshold = 2.0

    private func frame(severity: Double, look: Float = 0, scores: ImageScores? = nil) -> Judgement {
        Judgement(
            verdict: Verdict(severity: severity, threshold: Self.threshold),
            severity: severity,
            threshold: Self.threshold,
            scores: scores,
            score: severity,
            area: 0,
            boundingBox: nil,
            appearance: [look]
        )
    }

    /// Frames of these severities, whose look varies a little around a level.
    private func frames(_ severities: [Double], look: Float = 0) -> [Judgement] {
        severities.enumerated().map { frame(severity: $1, look: look + 0.01 * Float($0 % 3)) }
    }

    private func calm(_ count: Int, look: Float = 0) -> [Judgement] {
        frames([Double](repeating: 0.5, count: count), look: look)
    }

    /// What is told of a well whose frames come in batches.
    private func told(
        _ frames: [Judgement],
        batch: Int = 1,
        settings: WellSequence.Settings = .init()
    ) -> [String] {
        KeptWell.told(frames, batch: batch, settings: settings)
    }

    @Test func anOnsetNamesTheFramesThatTheFaultBeganBetween() {
        let severities = [0.5, 0.5, 4, 0.5, 4, 0.5, 0.5, 0.5]
        #expect(told(frames(severities)) == ["ONSET 4 2 1", "CLEAR 7"])
        #expect(told(frames([4, 4])) == ["ONSET 1 0 none"])
    }

    @Test func aWellThatLooksDifferentAtOnceIsToldWithTheSecondFrame() throws {
        let events = told(calm(30) + calm(20, look: 0.5))
        #expect(events.count == 1)
        #expect(try #require(events.first).hasPrefix("SHIFT 31 looks unlike the 12 frames before it: "))
    }

    @Test func oneEventKeepsTheNextOneSilentForAWhile() {
        // Back after 20 frames and different again after 20 more: 40 frames after the event.
        let soon = calm(30) + calm(20, look: 0.5) + calm(20) + calm(20, look: 0.5)
        #expect(told(soon).count == 1)
        let late = calm(30) + calm(20, look: 0.5) + calm(60) + calm(20, look: 0.5)
        #expect(told(late).count == 2)
    }

    @Test func aWellThatCreepsTowardsItsThresholdIsToldOnce() throws {
        let events = told(
            calm(60) + frames((0..<60).map { 0.5 + 0.02 * Double($0) })
                + frames(Array(repeating: 1.7, count: 60))
        )
        #expect(events.count == 1)
        #expect(
            try #require(events.first).hasPrefix("DRIFT ")
                && events[0].contains(" severity rose from 0.5 to 1.2")
        )
    }

    @Test func aShiftKeepsDriftSilentAndADriftAShift() {
        let creeping = frames((0..<80).map { 0.5 + 0.015 * Double($0) })
        #expect(told(calm(40) + calm(10, look: 0.5) + creeping + calm(50)).map { $0.prefix(5) } == ["SHIFT"])
        let drift = told(calm(40) + creeping).map { $0.prefix(5) }
        #expect(drift == ["DRIFT"])
        #expect(told(calm(40) + creeping + calm(20, look: 0.5)).map { $0.prefix(5) } == drift)
    }

    @Test func changesOfAFaultyWellAreNotTold() {
        let faulty = [Judgement](repeating: frame(severity: 4), count: 3)
        // With 3 of 3 the well stays faulty, although two frames of three pass and look different.
        let settings = WellSequence.Settings(hysteresis: .init(onset: 3, window: 3))
        let mixed = (0..<20).flatMap { _ in [frame(severity: 4)] + calm(2, look: 0.5) }
        #expect(told(calm(30) + faulty + mixed, settings: settings) == ["ONSET 32 30 29"])
    }

    @Test func nothingIsToldOfChangesWhereTheyAreOff() {
        #expect(told(calm(30) + calm(20, look: 0.5), settings: .init(drift: false)).isEmpty)
    }

    @Test(arguments: [2, 5, 64]) func batchesOfAnySizeTellTheSame(_ batch: Int) {
        let creeping = frames((0..<80).map { 0.5 + 0.015 * Double($0) })
        let faulty = frames([4, 0.5, 4, 4, 0.5, 0.5, 0.5, 0.5])
        let all = calm(64) + creeping + faulty + calm(80) + calm(20, look: 0.5)
        let single = told(all)
        #expect(single.map { $0.prefix(5) } == ["DRIFT", "ONSET", "CLEAR", "SHIFT"])
        #expect(told(all, batch: batch) == single)
    }

    @Test func theSameScoresAgainAndAgainAreAFrozenImage() {
        let scores = ImageScores(maximum: 0.3, mean: 0.1, patch: 0.2)
        let same = frame(severity: 0.5, scores: scores)
        var sequence = WellSequence(.init(), settings: .init(frozenFrames: 3))
        #expect(!sequence.isFrozen(same))
        for index in 0..<2 { _ = sequence.add(same, index: index) }
        #expect(sequence.isFrozen(same))
        #expect(
            !sequence.isFrozen(frame(severity: 0.5, scores: ImageScores(maximum: 0.3, mean: 0.1, patch: 0.3)))
        )
        var unknown = WellSequence(.init(), settings: .init(frozenFrames: 3))
        for index in 0..<2 { _ = unknown.add(frame(severity: 0.5), index: index) }
        #expect(!unknown.isFrozen(frame(severity: 0.5)), "frames without scores are not known to be the same")
    }

    @Test func aFrameIsLateIfANewerOneWasJudgedThatWasWrittenLater() {
        func place(_ index: Int, _ second: Int64) -> PlaceInTime {
            .init(index: index, modified: Timestamp(nanoseconds: second * 1_000_000_000))
        }
        var history = WellSequence.History()
        history.newest = place(7, 70)
        var sequence = WellSequence(history, settings: .init())
        // The last two are of a microscope that began to count anew.
        let places = [place(6, 60), place(8, 80), place(7, 70), place(0, 90), place(1, 98)]
        #expect(places.map { sequence.isLate($0) } == [true, false, true, false, false])
    }
}
