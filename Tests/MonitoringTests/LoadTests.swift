import Plate
import Testing

@testable import Monitoring

struct LoadTests {
    private let start = ContinuousClock.now

    /// One second each: how many frames wait, and what changes, `.` for nothing.
    ///
    /// As many frames as `judged` come to their end in
    /// each, at a pace of one a second.
    private func play(_ load: inout Load, from second: Int = 0, judged: Int = 0, _ waiting: [Int]) -> String {
        waiting.enumerated().map { index, count in
            load.judged(judged, in: .seconds(judged), tier: load.level == .keepingUp ? .full : .half)
            return switch load.weigh(waiting: count, now: start + .seconds(second + index))?.now {
            case .keepingUp: "K"
            case .halfPatches: "H"
            case .deferring: "D"
            case nil: "."
            }
        }.joined()
    }

    private func load(threads: Int = 1) -> Load {
        var load = Load(threads: threads)
        load.judged(10, in: .seconds(10))
        return load
    }

    private func dots(_ count: Int) -> String { String(repeating: ".", count: count) }

    @Test func theLagIsWhatAllThreadsNeedForWhatWaits() {
        var load = load(threads: 2)
        _ = load.weigh(waiting: 8, now: start)
        #expect(load.lag == .seconds(4))
    }

    @Test func aShortRushChangesNothing() {
        var load = load()
        #expect(play(&load, [40, 40, 1, 30, 1, 4, 4, 0]) == "........")
        #expect(load.level == .keepingUp && load.words.isEmpty)
    }

    @Test func aSlowFirstFrameChangesNothing() {
        var load = Load(threads: 1)
        load.judged(1, in: .seconds(3))
        #expect(load.weigh(waiting: 60, now: start) == nil)
        for _ in 0..<80 { load.judged(1, in: .milliseconds(50)) }
        #expect(load.weigh(waiting: 25, now: start + .seconds(5)) == nil)
        #expect(load.lag < .seconds(2))
    }

    @Test func aLagThatLastsHalvesThePatchesAndThenTheFrames() {
        var load = load()
        #expect(play(&load, Array(repeating: 10, count: 30)) == "..H.....D" + dots(21))
        #expect(load.level == .deferring)
        #expect(load.words == "frames judged by half of their patches, every second one deferred")
    }

    @Test func halfOfThePatchesMayBeEnough() {
        var load = load()
        #expect(play(&load, Array(repeating: 3, count: 600)) == "..H" + dots(597))
        #expect(load.words == "frames judged by half of their patches")
    }

    @Test func aLagThatShrinksIsStillALag() {
        var load = load()
        #expect(play(&load, (0..<60).map { 70 - $0 }) == "..H.....D" + dots(51))
    }

    @Test func eachStepIsTakenBackAfterARestAndItDoesNotFlap() {
        var load = load()
        _ = play(&load, Array(repeating: 10, count: 21))
        #expect(load.level == .deferring)
        // A lag between calm and limit begins the rest anew.
        let quiet = Array(repeating: 0, count: 59) + [3] + Array(repeating: 0, count: 123)
        #expect(play(&load, from: 21, quiet) == dots(120) + "H" + dots(60) + "K.")
        #expect(load.level == .keepingUp && load.words.isEmpty)
    }

    @Test func patchesStayHalvedWhileWholeFramesWouldTakeTooLong() {
        var load = load()
        #expect(play(&load, [3, 3, 3]) == "..H")
        // As many come as whole frames could just be judged.
        #expect(play(&load, from: 3, judged: 1, Array(repeating: 0, count: 300)) == dots(300))
        // Fewer come.
        #expect(play(&load, from: 303, Array(repeating: 3, count: 1)) == ".")
        #expect(play(&load, from: 304, Array(repeating: 0, count: 62)) == dots(60) + "K.")
    }

    @Test func wholeFramesAreTriedAfterAWhileInAnyCase() {
        var load = load()
        #expect(play(&load, [3, 3, 3]) == "..H")
        let calm = Array(repeating: 0, count: 620)
        #expect(play(&load, from: 3, judged: 1, calm) == dots(600) + "K" + dots(19))
    }
}
