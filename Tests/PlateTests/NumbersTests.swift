import Plate
import Testing

@Suite struct NumbersTests {
    private static let ends = Double(Int64.max)

    @Test(
        arguments: [
            (0.0, 0), (-0.9, 0), (1.9, 1), (-1.9, -1), (.nan, 0), (.infinity, .max), (-.infinity, .min),
            (1e300, .max),
            (-1e300, .min), (9_223_372_036_854_775_808, .max),
            (9_223_372_036_854_774_784, 9_223_372_036_854_774_784),
            (-9_223_372_036_854_775_808, .min), (Double.leastNonzeroMagnitude, 0),
        ] as [(Double, Int)]
    )
    func anyNumberHasAWholePart(value: Double, whole: Int) {
        #expect(Int(saturating: value) == whole)
    }

    @Test(
        arguments: [(-1, 0), (0.5, 0), (255.9, 255), (256, 255), (Float.nan, 0), (3e38, 255), (-3e38, 0)]
            as [(Float, UInt8)]
    )
    func anyNumberIsAByte(value: Float, byte: UInt8) {
        #expect(UInt8(saturating: value) == byte)
    }

    @Test func sumsDifferencesAndProductsStayWithinTheEnds() {
        #expect(Int64.max.saturatingAdd(1) == .max)
        #expect(Int64.min.saturatingAdd(-1) == .min)
        #expect(Int64(2).saturatingAdd(3) == 5)
        #expect(Int64.min.saturatingSubtract(1) == .min)
        #expect(Int64(0).saturatingSubtract(.min) == .max)
        #expect(Int64.max.saturatingMultiply(2) == .max)
        #expect(Int64.max.saturatingMultiply(-2) == .min)
        #expect(Int64(-3).saturatingMultiply(-4) == 12)
        #expect(UInt64.max.saturatingMultiply(2) == .max)
    }

    @Test func momentsAtTheEndsOfTimeHaveADistance() {
        let (first, last) = (Timestamp(nanoseconds: .min), Timestamp(nanoseconds: .max))
        #expect(last - first == .nanoseconds(Int64.max) + .nanoseconds(Int64.max) + .nanoseconds(1))
        #expect(first - last == .zero - (last - first))
        #expect((last - first).wholeNanoseconds == .max)
        #expect((first - last).wholeNanoseconds == .min)
        #expect((last - first).wholeMilliseconds == 18_446_744_073_709)
        #expect(first - Duration.seconds(1) == first)
        #expect(Timestamp(nanoseconds: 5) - Duration.nanoseconds(7) == Timestamp(nanoseconds: -2))
        #expect(Duration.seconds(Int64.max).wholeMilliseconds == .max)
    }

    @Test func framesBehindTheLastIndexHaveTheLastIndex() throws {
        let last = FrameID(run: "01", well: try #require(Well("A1")), index: FrameID.indices.upperBound)
        #expect(last.later(by: 5) == last)
        #expect(last.later(by: -1).index == last.index - 1)
    }

    @Test func aSeverityThatIsNoNumberDoesNotPass() {
        #expect(Verdict(severity: .nan, threshold: 3) == .faulty)
        #expect(Verdict(severity: 3, threshold: .nan) == .faulty)
        #expect(Verdict(severity: 3, threshold: 3) == .normal)
    }
}
