import Auditing
import Plate
import Rules
import Testing

struct RejudgementTests {
    @Test func onlyChangedWellsAreTold() throws {
        var rejudgement = Rejudgement(rule: StateHysteresis.Rule(onset: 2, window: 3))
        let (first, second) = (try #require(Well("A1")), try #require(Well("B2")))
        for index in (0..<6).reversed() {
            let faulty: (before: Bool, after: Bool) = (index >= 4, index >= 2)
            rejudgement.add(
                FrameID(run: "01", well: first, index: index),
                before: faulty.before ? .faulty : .normal,
                after: faulty.after ? .faulty : .normal
            )
            rejudgement.add(FrameID(run: "01", well: second, index: index), before: .faulty, after: .faulty)
        }
        rejudgement.add(FrameID(run: "02", well: second, index: 0), before: .faulty, after: .normal)
        #expect(rejudgement.frames == 13)
        #expect((rejudgement.turnedFaulty, rejudgement.turnedNormal) == (2, 1))
        let wells = rejudgement.changedWells
        #expect(wells.map(\.run) == ["01", "02"])
        #expect(wells[0].well == first)
        #expect(wells[0].faulty == (2, 4))
        #expect(wells[0].onset == (5, 3))
        #expect(wells[1].faulty == (1, 0))
        #expect(wells[1].onset == (nil, nil))
    }
}
