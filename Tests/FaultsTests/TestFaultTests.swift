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

    /// What the five classes come to, by the factor of the grey values: 8, 12 and 16 bits, and shares of the brightest.
    private static let expected: [(factor: Float, digests: [UInt64])] = [
        (
            1,
            [
                11_934_360_448_728_748_837, 2_123_510_295_557_493_541, 2_628_510_580_031_804_197,
                537_987_013_802_644_261, 10_051_351_688_875_135_781,
            ]
        ),
        (
            16,
            [
                7_398_655_050_085_618_469, 10_184_919_202_470_982_437, 18_341_343_922_413_998_885,
                4_423_664_294_208_787_237, 8_038_149_687_491_605_285,
            ]
        ),
        (
            257,
            [
                15_052_293_621_561_651_493, 8_746_448_460_961_393_957, 14_807_420_641_328_896_805,
                11_842_565_606_096_364_837, 944_588_465_699_650_341,
            ]
        ),
        (
            1 / 255,
            [
                13_844_161_370_700_462_405, 4_253_969_266_462_469_062, 2_434_900_399_160_124_393,
                8_887_607_886_005_360_020, 1_897_340_976_435_246_731,
            ]
        ),
    ]

    @Test(arguments: expected)
    func aFaultOfAClassIsTheSameForTheSameSeed(factor: Float, digests: [UInt64]) {
        let frame = Self.frame(times: factor)
        let found = Self.causes.map { Self.digest(TestFault.copy(of: frame, cause: $0, seed: 7)) }
        #expect(found == digests)
    }

    @Test func aCauseThatIsNotSimulatedHasNoCopy() {
        for cause in [Cause.frozen, .unknown] {
            #expect(TestFault.copy(of: Self.frame(), cause: cause, seed: 7) == nil)
        }
    }

    @Test func aFaultThatTheFrameDoesNotShowHasNoCopy() {
        let empty = Frame(height: 96, width: 160, pixels: [Float](repeating: 110, count: 96 * 160))
        for seed in 1...5 as ClosedRange<UInt64> {
            #expect(TestFault.copy(of: empty, cause: .zShift, seed: seed) == nil)
        }
    }

    @Test func numberedFaultsGoThroughAllClassesAndForms() {
        let frame = Self.frame()
        let found = (0..<30).map { Self.digest(TestFault.copy(of: frame, number: $0)) }
        #expect(found.reduce(0) { ($0 ^ $1) &* 0x100_0000_01B3 } == 6_939_988_105_942_400_450)
        #expect(Set(found).count == 30)
        #expect(TestFault.copy(of: Self.frame(times: 16), number: 3) == nil)
    }
}
