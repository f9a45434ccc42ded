import Foundation

/// The discrete Fourier transform of lines whose length is a power of two (Cooley and Tukey 1965, radix 2).
struct FourierTransform {
    let length: Int
    private let cosines: [Double]
    private let sines: [Double]
    private let reversed: [Int]

    /// Makes the tables; another length than a power of two is a programmer's mistake.
    init(length: Int) {
        precondition(length > 0 && length.nonzeroBitCount == 1, "\(length) is not a power of two")
        self.length = length
        let angles = (0..<max(length / 2, 1)).map { -2 * Double.pi * Double($0) / Double(length) }
        cosines = angles.map { cos($0) }
        sines = angles.map { sin($0) }
        var reversed = [0]
        while reversed.count < length { reversed = reversed.map { 2 * $0 } + reversed.map { 2 * $0 + 1 } }
        self.reversed = reversed
    }

    /// Transforms the line that starts at an index, in place.
    func transform(real: inout [Double], imaginary: inout [Double], from start: Int) {
        for index in 0..<length where index < reversed[index] {
            real.swapAt(start + index, start + reversed[index])
            imaginary.swapAt(start + index, start + reversed[index])
        }
        var half = 1
        while half < length {
            let step = length / (2 * half)
            for block in stride(from: start, to: start + length, by: 2 * half) {
                for offset in 0..<half {
                    let (upper, lower) = (block + offset, block + offset + half)
                    let (cosine, sine) = (cosines[offset * step], sines[offset * step])
                    let turnedReal = real[lower] * cosine - imaginary[lower] * sine
                    let turnedImaginary = real[lower] * sine + imaginary[lower] * cosine
                    (real[lower], imaginary[lower]) =
                        (real[upper] - turnedReal, imaginary[upper] - turnedImaginary)
                    real[upper] += turnedReal
                    imaginary[upper] += turnedImaginary
                }
            }
            half *= 2
        }
    }
}
