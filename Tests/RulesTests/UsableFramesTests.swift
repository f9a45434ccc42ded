import Plate
import Rules
import Testing

struct UsableFramesTests {
    /// Frames by letter, one a place in time from 0 on: `g`ood, `s`uspect, `f`lagged, `u`nreadable; a blank never came.
    private static func frames(_ letters: String, step: Int = 1) -> [UsableFrames.Point] {
        let qualities: [Character: UsableFrames.Quality] = [
            "g": .good, "s": .suspect, "f": .flagged, "u": .unreadable,
        ]
        return letters.enumerated().compactMap { index, letter in
            qualities[letter].map {
                UsableFrames.Point(
                    index: index * step,
                    quality: $0,
                    written: Timestamp(nanoseconds: Int64(index) * 8_000_000_000)
                )
            }
        }
    }

    private static func intervals(_ letters: String, step: Int = 1, _ rule: UsableFrames.Rule = .init())
        -> [String]
    {
        UsableFrames(frames(letters, step: step), rule: rule).intervals.map {
            "\($0.first)-\($0.last) \($0.frames)"
        }
    }

    @Test func goodFramesAfterAFaultAreUsableAgain() {
        #expect(Self.intervals("ggggggggggffffgggggg") == ["0-9 10", "14-19 6"])
        #expect(Self.intervals("gggggggggg") == ["0-9 10"])
        #expect(Self.intervals("ffffffuuuu") == [])
    }

    @Test func oneBadFrameIsBridgedAndTwoAreNot() {
        #expect(Self.intervals("gggggfggggg") == ["0-10 10"])
        #expect(Self.intervals("gggggfuggggg") == ["0-4 5", "7-11 5"])
        #expect(Self.intervals("ggggg ggggg") == ["0-10 10"], "a frame that never came is a bad one")
        #expect(Self.intervals("ggggg  ggggg") == ["0-4 5", "7-11 5"])
        var rule = UsableFrames.Rule()
        rule.bridged = 0
        #expect(Self.intervals("gggggfggggg", rule) == ["0-4 5", "6-10 5"])
        rule.bridged = 2
        #expect(Self.intervals("gggggfuggggg", rule) == ["0-11 10"])
    }

    @Test func shortStretchesAreLeftOut() {
        #expect(Self.intervals("ggggffggggg") == ["6-10 5"])
        var rule = UsableFrames.Rule()
        rule.shortest = 1
        #expect(Self.intervals("gffgff", rule) == ["0-0 1", "3-3 1"])
    }

    @Test func suspectFramesAreUsableUnlessToldOtherwise() {
        #expect(Self.intervals("gggssggg") == ["0-7 8"])
        var rule = UsableFrames.Rule()
        rule.suspectsAreGood = false
        #expect(Self.intervals("gggggssggggg", rule) == ["0-4 5", "7-11 5"])
    }

    @Test func indicesMayGrowBySteps() {
        #expect(Self.intervals("gggggggg", step: 10) == ["0-70 8"])
        #expect(Self.intervals("ggggg  ggggg", step: 10) == ["0-40 5", "70-110 5"])
    }

    @Test func ofFramesWithTheSameIndexTheWorstCounts() {
        var points = Self.frames("ggggggg")
        points.insert(UsableFrames.Point(index: 3, quality: .flagged, written: nil), at: 4)
        var rule = UsableFrames.Rule()
        (rule.bridged, rule.shortest) = (0, 2)
        let found = UsableFrames(points, rule: rule).intervals.map { [$0.first, $0.last] }
        #expect(found == [[0, 2], [4, 6]])
    }

    @Test func aViewIsUsableWhereOneIntervalGoesFromEndToEnd() throws {
        let whole = UsableFrames(Self.frames("ggggfgggg"))
        #expect(whole.verdict == .usable && whole.usable == 8 && whole.missing == 0)
        #expect(try #require(whole.intervals.first).seconds == 64)
        let page = Timestamp(nanoseconds: 5)
        let pages = (0..<5).map { UsableFrames.Point(index: $0, quality: .good, written: page) }
        #expect(
            UsableFrames(pages).intervals.map(\.seconds) == [nil],
            "pages of one file have no times of their own"
        )
        let late = UsableFrames(Self.frames("ffffggggg ggg"))
        #expect(late.verdict == .partly && late.longest == 8 && late.missing == 1)
        #expect(UsableFrames(Self.frames("gf")).verdict == .not)
        #expect(UsableFrames([]).verdict == .not)
    }
}
