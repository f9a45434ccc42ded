import Plate
import Reporting
import Testing

struct StateHysteresisTests {
    @Test(arguments: [
        (1, 1, "..#.##..", "..OCO.C."), (2, 3, ".#..#.#...#", "......O..C."),
        (2, 3, "##...##", ".O..C.O"), (3, 3, "##.###...", ".....O..C"),
        (2, 5, "#...#.....#....#", "....O....C......"),
    ])
    func turnsWithItsRule(onset: Int, window: Int, frames: String, expected: String) {
        var state = StateHysteresis(rule: StateHysteresis.Rule(onset: onset, window: window))
        let said = frames.map { frame in
            switch state.take(frame == "#" ? .faulty : .normal) {
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
            let known = Array(verdicts[..<index].suffix(rule.window))
            var replayed = StateHysteresis(rule: rule, verdicts: known, isFaulty: living.isFaulty)
            #expect(replayed.take(verdict) == living.take(verdict))
            #expect(replayed == living)
        }
    }

    @Test func unreadableFramesSayNothing() {
        var state = StateHysteresis(rule: StateHysteresis.Rule(onset: 1, window: 1))
        #expect(state.take(.unreadable) == nil)
        #expect(state.take(.faulty) == .onset)
        #expect(state.take(.unreadable) == nil)
        #expect(state.isFaulty)
    }
}
