import Randomness
import Rules
import Testing

/// A frame against its own well's past.
struct ChangeRuleTests {
    /// Frames of a well that varies by some hundredths, around a level.
    private func frames(_ count: Int, around level: Float, seed: UInt64 = 1) -> [[Float]] {
        var random = SplitMix64(state: seed)
        return (0..<count).map { _ in (0..<16).map { _ in level + 0.02 * random.nextGaussian() } }
    }

    /// Takes frames, and returns how far each is from those before it and at which of them a change begins.
    private func run(_ frames: [[Float]]) -> (changes: [Double?], beginnings: [Int]) {
        var rule = ChangeRule([])
        var beginnings: [Int] = []
        let changes = frames.enumerated().map { index, appearance in
            let change = rule.add(appearance)
            if rule.hasJustBegun { beginnings.append(index) }
            return change
        }
        return (changes, beginnings)
    }

    @Test func aWellThatStaysAsItIsChangesNothing() {
        let (changes, beginnings) = run(frames(500, around: 0.7))
        #expect(changes.prefix(12).allSatisfy { $0 == nil })
        #expect(changes.dropFirst(12).allSatisfy { $0.map { $0 < ChangeRule.limit } ?? false })
        #expect(beginnings.isEmpty)
    }

    @Test func aStepIsToldAtItsSecondFrameAndSeenWhileItLasts() {
        let (changes, beginnings) = run(frames(30, around: 0) + frames(20, around: 0.5, seed: 2))
        #expect(beginnings == [31])
        #expect(changes[30...].allSatisfy { $0.map { $0 > ChangeRule.limit } ?? false })
    }

    @Test func oneOddFrameAndASlowChangeAreNone() {
        var odd = frames(40, around: 0)
        odd[25] = odd[25].map { $0 + 3 }
        #expect(run(odd).beginnings.isEmpty)
        let slow = frames(200, around: 0).enumerated().map { index, look in
            look.map { $0 + 0.002 * Float(index) }
        }
        #expect(run(slow).beginnings.isEmpty)
    }

    @Test func aFewFiguresAloneAreEnough() {
        let shifted = frames(20, around: 0, seed: 2).map { look in
            look.enumerated().map { $0 < 5 ? $1 + 0.4 : $1 }
        }
        #expect(run(frames(20, around: 0) + shifted).beginnings == [21])
    }

    @Test func whatLastsIsHowTheWellIsAndCanChangeAgain() {
        let frames = frames(20, around: 0) + frames(120, around: 1, seed: 2) + frames(20, around: 0, seed: 3)
        let (changes, beginnings) = run(frames)
        #expect(beginnings == [21, 141])
        #expect(changes[20..<84].allSatisfy { $0.map { $0 > ChangeRule.limit } ?? false })
        #expect(changes[84..<96].allSatisfy { $0 == nil }, "its past begins anew")
        #expect(changes[96..<140].allSatisfy { $0.map { $0 < ChangeRule.limit } ?? false })
    }

    @Test func backToWhatItWasIsNoFurtherChange() {
        let frames = frames(20, around: 0) + frames(10, around: 1, seed: 2) + frames(30, around: 0, seed: 3)
        let (changes, beginnings) = run(frames)
        #expect(beginnings == [21])
        #expect(changes[30...].allSatisfy { $0.map { $0 < ChangeRule.limit } ?? false })
    }

    @Test func aFrameWithoutAnAppearanceOrOfAnotherModelSaysNothing() {
        var rule = ChangeRule(frames(12, around: 0).map { ChangeRule.Look(appearance: $0, change: nil) })
        #expect(rule.change(of: []) == nil && rule.change(of: [1]) == nil)
        #expect(rule.add(frames(1, around: 1)[0]) != nil)
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

    @Test func aSeriesThatCreepsUpDriftsAndOneThatJumpsDoesNot() throws {
        let creeping = (0..<40).map { 1 + 8 * Double($0) / 40 }
        let rise = try #require(DriftRule.rise(over: creeping, threshold: 6))
        #expect(rise.from < 3 && rise.to > 6)
        let jumping = (0..<40).map { $0 < 20 ? 1.0 : 9.0 }
        #expect(DriftRule.rise(over: jumping, threshold: 6) == nil)
        #expect(DriftRule.rise(over: creeping.reversed(), threshold: 6) == nil)
        #expect(DriftRule.rise(over: Array(creeping.prefix(8)), threshold: 6) == nil)
        #expect(DriftRule.rise(over: creeping, threshold: .infinity) == nil)
    }
}
