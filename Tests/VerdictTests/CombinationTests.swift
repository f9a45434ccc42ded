import Foundation
import TestSupport
import Testing

@testable import Verdict

/// The distance of a frame's terms together from those of normal frames.
struct CombinationTests {
    /// Normal frames with two terms that go together, and a third that is independent of them.
    private static func frames(_ count: Int) -> [[Double]] {
        var random = TestGenerator(seed: 3)
        let values = random.floats(3 * count, in: -1.7...1.7).map { Double($0) }
        return (0..<count).map { index in
            let both = values[3 * index]
            return [both, both + 0.1 * values[3 * index + 1], values[3 * index + 2]]
        }
    }

    @Test func whatNeverGoesTogetherIsFarOut() {
        let combination = Combination(normal: Self.frames(200), typicalSpread: 1)
        let usual = combination.figure(of: [2, 2, 0])
        let unusual = combination.figure(of: [2, -2, 0])
        #expect(unusual > 3 * usual)
        #expect(combination.scale.distance(of: usual) < 2)
        #expect(combination.scale.distance(of: unusual) > 6)
    }

    /// Six frames say little of what goes with what: the distance is nearly that of independent terms.
    @Test func fewFramesProveLittle() {
        let few = Combination(normal: Self.frames(6), typicalSpread: 1)
        let ratio = few.figure(of: [2, -2, 0]) / few.figure(of: [2, 2, 0])
        #expect((1...2).contains(ratio), "\(ratio)")
    }

    /// The second moments of independent terms are 1, and figures of other frames are those of the fit.
    @Test func itIsMahalanobisDistance() {
        // Two terms, each -1 or 1 in all four ways, ten times: S = I, so C = I.
        let frames = (0..<40).map { [$0 % 2 == 0 ? 1.0 : -1, $0 / 2 % 2 == 0 ? 1 : -1] }
        let combination = Combination(normal: frames, typicalSpread: nil)
        #expect(abs(combination.figure(of: [3, 4]) - 5) < 1e-12)
        #expect(combination.figure(of: [0, 0]) == 0)
    }

    @Test func aTermFarOutAndOneThatIsNoNumberAreBounded() {
        let combination = Combination(normal: Self.frames(50), typicalSpread: 1)
        #expect(combination.figure(of: [0, 0, 1e9]) == combination.figure(of: [0, 0, 4]))
        #expect(combination.figure(of: [0, 0, -.infinity]) == combination.figure(of: [0, 0, -4]))
        #expect(combination.figure(of: [0, .nan, 1]) == combination.figure(of: [0, 0, 1]))
        let odd = Combination(normal: [[.nan, .infinity]], typicalSpread: 1)
        #expect(odd.figure(of: [1, 1]).isFinite && odd.scale.median.isFinite)
    }

    @Test func itIsTheSameAfterStoring() throws {
        let combination = Combination(normal: Self.frames(20), typicalSpread: 1)
        let data = try JSONEncoder().encode(combination)
        #expect(try JSONDecoder().decode(Combination.self, from: data) == combination)
    }
}
