import Faults
import Plate
import Randomness
import Testing

/// What the canary and a run's own calibration put on copies of frames, pinned bit by bit.
struct TestFaultTests {
    private static let causes: [Cause] = [.airBubble, .artifact, .zShift, .illumination, .contamination]

    /// Dark discs on a grainy background, grey values of 8 bits times a factor.
    private static func frame(times factor: Float = 1) -> Frame {
        var random = SplitMix64(state: 5)
        let (height, width) = (96, 160)
        let pixels = (0..<height * width).map { index -> Float in
            let (down, right) = (index / width % 32 - 16, index % width % 40 - 20)
            let grain = Float(random.next() >> 61)
            return ((down * down + right * right < 81 ? 60 : 110) + grain) * factor
        }
        return Frame(height: height, width: width, pixels: pixels)
    }

    /// A number that changes with any bit of a pixel (FNV-1a, 64 bits); 0 for no frame.
    private static func digest(_ frame: Frame?) -> UInt64 {
        frame?.pixels.reduce(0xCBF2_9CE4_8422_2325) { ($0 ^ UInt64($1.bitPattern)) &* 0x100_0000_01B3 } ?? 0
    }

    @Test(arguments: [
        (factor: Float(1), expected: [1 as UInt64])
    ])
    func aFaultOfAClassIsTheSameForTheSameSeed(factor: Float, expected: [UInt64]) {
        let frame = Self.frame(times: factor)
        let found = Self.causes.map { Self.digest(TestFault.copy(of: frame, cause: $0, seed: 7)) }
        #expect(found == expected)
    }

    @Test func numberedFaultsGoThroughAllClassesAndForms() {
        let frame = Self.frame()
        let found = (0..<25).map { Self.digest(TestFault.copy(of: frame, number: $0)) }
        #expect(found.reduce(0) { ($0 ^ $1) &* 0x100_0000_01B3 } == 1)
    }
}
