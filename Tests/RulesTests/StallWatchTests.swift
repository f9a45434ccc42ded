import Plate
import Testing

@testable import Rules

struct StallWatchTests {
    private let start = ContinuousClock.now

    private func frame(_ well: String, _ index: Int, run: String = "01") throws -> FrameID {
        FrameID(run: run, well: try #require(Well(well)), index: index)
    }

    @Test func aSilentWellOfALivingRunIsReportedOnce() throws {
        var watch = StallWatch()
        watch.saw(try frame("B1", 3), now: start)
        watch.saw(try frame("C1", 3), now: start)
        watch.saw(try frame("C1", 4), now: start + .seconds(50))
        let limit = StallWatch.Limit.after(.seconds(60))
        #expect(watch.newStalls(limit: limit, now: start + .seconds(59)).isEmpty)
        let expected = StallWatch.Stall(last: try frame("B1", 3), limit: .seconds(60), isWholeRun: false)
        #expect(watch.newStalls(limit: limit, now: start + .seconds(60)) == [expected])
        #expect(watch.newStalls(limit: limit, now: start + .seconds(61)).isEmpty)
        watch.saw(try frame("B1", 4), now: start + .seconds(70))
        watch.saw(try frame("C1", 5), now: start + .seconds(129))
        let again = StallWatch.Stall(last: try frame("B1", 4), limit: .seconds(60), isWholeRun: false)
        #expect(watch.newStalls(limit: limit, now: start + .seconds(130)) == [again])
    }

    @Test func aRunThatEndsIsOneStall() throws {
        var watch = StallWatch()
        for well in ["A1", "B1", "C1"] { watch.saw(try frame(well, 9), now: start) }
        watch.saw(try frame("B1", 10), now: start + .seconds(1))
        watch.saw(try frame("A1", 1, run: "02"), now: start + .seconds(60))
        #expect(watch.newStalls(limit: .never, now: start + .seconds(999)).isEmpty)
        let expected = StallWatch.Stall(last: try frame("B1", 10), limit: .seconds(60), isWholeRun: true)
        #expect(watch.newStalls(limit: .after(.seconds(60)), now: start + .seconds(61)) == [expected])
        #expect(watch.newStalls(limit: .after(.seconds(60)), now: start + .seconds(62)).isEmpty)
    }

    @Test func theLastRoundOfARunIsNoStallOfItsWells() throws {
        var watch = StallWatch()
        for (second, well) in ["A1", "B1", "C1"].enumerated() {
            watch.saw(try frame(well, 9), now: start + .seconds(second))
        }
        let limit = StallWatch.Limit.after(.seconds(60))
        #expect(watch.newStalls(limit: limit, now: start + .seconds(61)).isEmpty)
        let expected = StallWatch.Stall(last: try frame("C1", 9), limit: .seconds(60), isWholeRun: true)
        #expect(watch.newStalls(limit: limit, now: start + .seconds(62)) == [expected])
    }

    @Test func wellsOfBeforeAreWatchedFromNowOnAndNotReportedAgain() throws {
        var watch = StallWatch()
        watch.saw(try frame("C1", 8), now: start)
        for well in ["B1", "C1", "D1"] {
            watch.resume(try frame(well, 7), isReported: well == "D1", now: start + .seconds(1))
        }
        watch.saw(try frame("C1", 9), now: start + .seconds(60))
        #expect(watch.newStalls(limit: .after(.seconds(60)), now: start + .seconds(60)).isEmpty)
        let expected = StallWatch.Stall(last: try frame("B1", 7), limit: .seconds(60), isWholeRun: false)
        #expect(watch.newStalls(limit: .after(.seconds(60)), now: start + .seconds(61)) == [expected])
    }

    @Test func byItselfASilenceIsReportedThatIsTenTimesAsLongAsUsual() throws {
        var watch = StallWatch()
        let silence = { (seconds: Int) in start + .seconds(seconds) }
        for index in 0..<20 {
            for well in ["B1", "C1"] { watch.saw(try frame(well, index), now: silence(20 * index)) }
        }
        for index in 20..<32 { watch.saw(try frame("C1", index), now: silence(20 * index)) }
        #expect(watch.newStalls(limit: .automatic, now: silence(579)).isEmpty)
        let stall = StallWatch.Stall(last: try frame("B1", 19), limit: .seconds(200), isWholeRun: false)
        #expect(watch.newStalls(limit: .automatic, now: silence(580)) == [stall])
    }

    @Test func byItselfNothingIsReportedBeforeItIsKnownWhatIsUsual() throws {
        var watch = StallWatch()
        for index in 0..<10 { watch.saw(try frame("B1", index), now: start + .seconds(index)) }
        #expect(watch.newStalls(limit: .automatic, now: start + .seconds(9999)).isEmpty)
        for index in 10..<20 { watch.saw(try frame("B1", index), now: start + .seconds(index)) }
        #expect(watch.newStalls(limit: .automatic, now: start + .seconds(19 + 59)).isEmpty)
        let stall = StallWatch.Stall(last: try frame("B1", 19), limit: .seconds(60), isWholeRun: true)
        #expect(watch.newStalls(limit: .automatic, now: start + .seconds(19 + 60)) == [stall])
    }
}
