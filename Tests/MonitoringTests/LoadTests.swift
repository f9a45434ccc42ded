import Testing

@testable import Monitoring

struct LoadTests {
    private let start = ContinuousClock.now

    /// One second each: how many frames wait at a pace of one a second; `.` where nothing changes.
    private func play(_ load: inout Load, from second: Int = 0, _ waiting: [Int]) -> String {
        waiting.enumerated().map { index, count in
            switch load.weigh(waiting: count, now: start + .seconds(second + index))?.now {
            case .keepingUp: "K"
            case .halved: "H"
            case nil: "."
            }
        }.joined()
    }

    private func load(threads: Int = 1) -> Load {
        var load = Load(threads: threads)
        load.judged(10, in: .seconds(10))
        return load
    }

    @Test func theLagIsWhatAllThreadsNeedForWhatWaits() {
        var load = load(threads: 2)
        _ = load.weigh(waiting: 8, now: start)
        #expect(load.lag == .seconds(4))
    }

    @Test func aShortRushDefersNothing() {
        var load = load()
        #expect(play(&load, [40, 40, 40, 30, 20, 4, 40, 40, 4, 0]) == "..........")
        #expect(load.level == .keepingUp && load.words.isEmpty)
    }

    @Test func aSlowFirstFrameDefersNothing() {
        var load = Load(threads: 1)
        load.judged(1, in: .seconds(3))
        #expect(load.weigh(waiting: 60, now: start) == nil)
        for _ in 0..<40 { load.judged(1, in: .milliseconds(50)) }
        #expect(load.weigh(waiting: 25, now: start + .seconds(5)) == nil)
        #expect(load.lag < .seconds(5))
    }

    @Test func aLagThatLastsDefersHalfOfTheFramesOnce() {
        var load = load()
        #expect(play(&load, Array(repeating: 10, count: 30)) == ".....H........................")
        #expect(load.level == .halved)
        #expect(load.words == "every second frame deferred")
    }

    @Test func aLagThatShrinksIsStillALag() {
        var load = load()
        let catchingUp = (0..<60).map { 70 - $0 }
        #expect(play(&load, catchingUp) == ".....H" + String(repeating: ".", count: 54))
    }

    @Test func allFramesAreJudgedInTurnAfterARestAndItDoesNotFlap() {
        var load = load()
        _ = play(&load, Array(repeating: 10, count: 21))
        #expect(load.level == .halved)
        // A lag between calm and limit begins the rest anew.
        let quiet = Array(repeating: 0, count: 59) + [3] + Array(repeating: 0, count: 62)
        let said = play(&load, from: 21, quiet)
        #expect(said == String(repeating: ".", count: 120) + "K.")
        #expect(load.level == .keepingUp && load.words.isEmpty)
    }
}
