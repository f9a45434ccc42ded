import Faults
import Plate

/// Power of a frame's middle by spatial frequency, whatever the direction.
struct RadialSpectrum {
    private static let bins = 24
    private static let lowest: Float = 0.005

    /// Mean power at frequencies spaced evenly in their logarithm from 0.005 to 0.5 per pixel.
    private let bands: [(frequency: Float, power: Float)]

    /// Takes the largest square whose side is a power of two, under a Hann window.
    init(_ frame: Frame) {
        var side = 64
        while side * 2 <= min(frame.height, frame.width) { side *= 2 }
        var (real, imaginary) = (Self.windowed(frame, side: side), [Float](repeating: 0, count: side * side))
        Self.transformLines(&real, &imaginary, side: side, lineStride: side, step: 1)
        Self.transformLines(&real, &imaginary, side: side, lineStride: 1, step: side)
        var sums = [Double](repeating: 0, count: Self.bins)
        var counts = [Double](repeating: 0, count: Self.bins)
        let scale = Float(Self.bins) / Float(Arithmetic.logarithm(Double(0.5 / Self.lowest)))
        for index in real.indices {
            let (v, u) = (index / side, index % side)
            let y = Float(min(v, side - v)) / Float(side)
            let x = Float(min(u, side - u)) / Float(side)
            let frequency = (x * x + y * y).squareRoot()
            guard frequency >= Self.lowest, frequency < 0.5 else { continue }
            let bin = min(
                Int(Float(Arithmetic.logarithm(Double(frequency / Self.lowest))) * scale),
                Self.bins - 1
            )
            sums[bin] += Double(real[index] * real[index] + imaginary[index] * imaginary[index])
            counts[bin] += 1
        }
        bands = (0..<Self.bins).filter { counts[$0] > 0 }.map { bin in
            let frequency = Self.lowest * Arithmetic.exponential((Float(bin) + 0.5) / scale)
            return (frequency, Float(sums[bin] / counts[bin] / Double(side * side)))
        }
    }

    /// Exponent of the power between two periods in pixels: the straight line through the logarithms.
    func slope(periods: ClosedRange<Float>) -> Float {
        let points = bands.filter { periods.contains(1 / $0.frequency) && $0.power > 0 }.map {
            (x: Arithmetic.logarithm(Double($0.frequency)), y: Arithmetic.logarithm(Double($0.power)))
        }
        let count = Double(max(points.count, 1))
        let centre = (points.reduce(0) { $0 + $1.x } / count, points.reduce(0) { $0 + $1.y } / count)
        let product = points.reduce(0) { $0 + ($1.x - centre.0) * ($1.y - centre.1) }
        let square = points.reduce(0) { $0 + ($1.x - centre.0) * ($1.x - centre.0) }
        return square > 0 ? Float(product / square) : 0
    }

    private static func windowed(_ frame: Frame, side: Int) -> [Float] {
        let (top, left) = ((frame.height - side) / 2, (frame.width - side) / 2)
        let mean = frame.pixels.reduce(0) { $0 + Double($1) } / Double(frame.pixels.count)
        let window = (0..<side).map { index in
            (1 - Arithmetic.sineCosine(2 * Arithmetic.pi * (Float(index) + 0.5) / Float(side)).cosine) / 2
        }
        return (0..<side * side).map { index in
            let (row, column) = (index / side, index % side)
            return (frame[top + row, left + column] - Float(mean)) * window[row] * window[column]
        }
    }

    private static func transformLines(
        _ real: inout [Float],
        _ imaginary: inout [Float],
        side: Int,
        lineStride: Int,
        step: Int
    ) {
        let turns = (0..<side / 2).map {
            Arithmetic.sineCosine(-2 * Arithmetic.pi * Float($0) / Float(side))
        }
        for line in 0..<side {
            let places = (0..<side).map { line * lineStride + $0 * step }
            var a = places.map { real[$0] }
            var b = places.map { imaginary[$0] }
            transform(&a, &b, turns)
            for (place, value) in zip(places, a) { real[place] = value }
            for (place, value) in zip(places, b) { imaginary[place] = value }
        }
    }

    /// Fourier transform of a power of two values, in place (Cooley and Tukey 1965).
    private static func transform(
        _ real: inout [Float],
        _ imaginary: inout [Float],
        _ turns: [(sine: Float, cosine: Float)]
    ) {
        let count = real.count
        var reversed = 0
        for index in 1..<count {
            var bit = count >> 1
            while reversed & bit != 0 {
                reversed ^= bit
                bit >>= 1
            }
            reversed |= bit
            if index < reversed {
                real.swapAt(index, reversed)
                imaginary.swapAt(index, reversed)
            }
        }
        var half = 1
        while half < count {
            for start in stride(from: 0, to: count, by: 2 * half) {
                for offset in 0..<half {
                    let turn = turns[offset * (count / (2 * half))]
                    let (even, odd) = (start + offset, start + offset + half)
                    let x = real[odd] * turn.cosine - imaginary[odd] * turn.sine
                    let y = real[odd] * turn.sine + imaginary[odd] * turn.cosine
                    (real[odd], imaginary[odd]) = (real[even] - x, imaginary[even] - y)
                    (real[even], imaginary[even]) = (real[even] + x, imaginary[even] + y)
                }
            }
            half *= 2
        }
    }
}
