import Faults
import Mathematics
import Plate
import Randomness
import Testing

/// The optics of a shifted focus against the theory, on patterns that it only makes stronger or weaker.
struct DefocusTests {
    private static let (height, width) = (96, 128)

    /// A product of cosines that a mirror at each border continues; `waves` are half waves down and to the right.
    private static func pattern(_ waves: (down: Int, right: Int)) -> Frame {
        let pixels = (0..<height * width).map { index -> Float in
            let (row, column) = (Float(index / width) + 0.5, Float(index % width) + 0.5)
            let down = Arithmetic.sineCosine(Arithmetic.pi * Float(waves.down) * row / Float(height))
            let right = Arithmetic.sineCosine(Arithmetic.pi * Float(waves.right) * column / Float(width))
            return 100 + 20 * down.cosine * right.cosine
        }
        return Frame(height: height, width: width, pixels: pixels)
    }

    @Test(arguments: [5.5, 13.5, -30, 60, -110] as [Float], [-3, -1, 0, 2] as [Float])
    func detailIsMultipliedByTheTransferFunction(shift: Float, phase: Float) {
        let optics = Defocus(shift: shift, phase: phase)
        for waves in [(0, 4), (6, 11), (20, 3), (30, 40)] as [(down: Int, right: Int)] {
            let frame = Self.pattern(waves)
            let frequencies = (
                Float(waves.down) / Float(2 * Self.height) / Defocus.pixelSize,
                Float(waves.right) / Float(2 * Self.width) / Defocus.pixelSize
            )
            let square = frequencies.0 * frequencies.0 + frequencies.1 * frequencies.1
            let chi = Arithmetic.sineCosine(Arithmetic.pi * Defocus.wavelength * shift * square)
            let blur = Arithmetic.pi * 0.05 * shift
            let factor = (chi.cosine + phase * chi.sine) * Arithmetic.exponential(-2 * blur * blur * square)
            let shown = optics.applied(to: frame)
            let off = zip(frame.pixels, shown.pixels).map { abs(100 + factor * ($0 - 100) - $1) }
            #expect((off.max() ?? 0) < 0.03 * 20, "half waves \(waves)")
        }
    }

    @Test func withoutAShiftAFrameStays() {
        let frame = Self.pattern((30, 40))
        let shown = Defocus(shift: 0, phase: 2).applied(to: frame)
        #expect(zip(frame.pixels, shown.pixels).allSatisfy { abs($0 - $1) < 0.01 })
    }

    @Test func framesOfAnySizeAreUniformWhereTheyWere() {
        for (height, width) in [(1, 1), (3, 7), (65, 33)] {
            let frame = Frame(
                height: height,
                width: width,
                pixels: [Float](repeating: 80, count: height * width)
            )
            let shown = Defocus(shift: 100, phase: -3).applied(to: frame)
            #expect(shown.pixels.allSatisfy { abs($0 - 80) < 0.01 })
        }
    }

    /// Dark discs with a bright rim, as cells somewhat below focus, on a background with noise.
    private static func cells() -> Frame {
        var random = SplitMix64(state: 3)
        let pixels = (0..<256 * 320).map { index -> Float in
            let (down, right) = (index / 320 % 64 - 32, index % 320 % 80 - 40)
            let square = down * down + right * right
            let light: Float = square < 49 ? 70 : square < 100 ? 140 : 110
            return light + 1.2 * random.drawGaussian()
        }
        return Frame(height: 256, width: 320, pixels: pixels)
    }

    private static func contrast(_ frame: Frame) -> Float {
        let smooth = GaussianBlur.blurred(frame, sigma: 2)
        return (smooth.pixels.max() ?? 0) - (smooth.pixels.min() ?? 0)
    }

    /// Standard deviation of the noise, from differences of neighbours, where there is no cell (`false`) or one.
    private static func noise(_ frame: Frame, cells: Bool) -> Float {
        var squares: [Float] = []
        for row in 0..<256 {
            for column in 1..<320 {
                let (down, right) = (row % 64 - 32, column % 80 - 40)
                let square = down * down + right * right
                guard cells ? square < 60 : square > 900 else { continue }
                let step = frame[row, column] - frame[row, column - 1]
                squares.append(step * step / 2)
            }
        }
        return (squares.reduce(0, +) / Float(squares.count)).squareRoot()
    }

    @Test(arguments: 1...6 as ClosedRange<UInt64>)
    func cellsVanishAtFullStrengthAndTheMaskRemains(seed: UInt64) {
        let frame = Self.cells()
        let results = [0.1, 0.4, 1].map { (strength: Float) in
            Fault(form: .defocus, strength: strength, seed: seed).injected(into: frame)
        }
        let contrasts = results.map { Self.contrast($0.frame) }
        #expect(contrasts[2] < 0.3 * Self.contrast(frame))
        #expect(contrasts[2] < 0.5 * min(contrasts[0], contrasts[1]))
        for result in results {
            #expect((0.05...0.5).contains(result.mask.area))
            #expect(result.mask.values[32 * 320 + 40] == 1, "a cell's middle")
            #expect(result.mask.values[0] == 0, "far from cells")
        }
    }

    @Test func theCamerasNoiseStaysSharpAlsoWhereACellWas() {
        let frame = Self.cells()
        let shown = Fault(form: .defocus, strength: 1, seed: 4).injected(into: frame).frame
        let before = Self.noise(frame, cells: false)
        #expect(abs(Self.noise(shown, cells: false) / before - 1) < 0.1)
        #expect(abs(Self.noise(shown, cells: true) / before - 1) < 0.1)
    }

    @Test func contrastIsReversedForSomeSeeds() {
        let frame = Self.cells()
        let middles = (1...8 as ClosedRange<UInt64>).map { seed in
            let shown = Fault(form: .defocus, strength: 0.4, seed: seed).injected(into: frame).frame
            return GaussianBlur.blurred(shown, sigma: 2)[96, 120]
        }
        #expect(middles.contains { $0 > 113 }, "\(middles)")
        #expect(middles.contains { $0 < 98 })
    }
}
