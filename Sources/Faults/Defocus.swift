import Mathematics
package import Plate

/// What a partially coherent brightfield microscope makes of a frame's detail when its focus moves.
///
/// Detail of a spatial frequency f, in cycles per um, is multiplied by `(cos chi + kappa sin chi) E`. Here
/// `chi = pi wavelength z f^2` is the phase by which light that the detail diffracts falls behind on a way of z um
/// (Fresnel), and `kappa` tells how much of the detail is phase and how much absorption: a frame near focus shows a mix,
/// which no camera can take apart. Where the factor is below 0 contrast is reversed; its changes of sign make rings.
/// `E = exp(-2 (pi s z f)^2)` is the blur of a condenser that lights from many directions (Streibl 1984). The pixels end
/// at lower frequencies than an objective of NA 0.3 with a condenser of 0.15, at 0.78 against 0.82 cycles per um.
///
/// Both chi and the exponent are sums over rows and columns, so two complex kernels in lines do it.
package struct Defocus: Sendable {
    /// Wavelength of the light, in um.
    package static let wavelength: Float = 0.55
    /// Side of a pixel in the sample, in um.
    package static let pixelSize: Float = 0.645
    /// Blur of the condenser's aperture per um of defocus, in um.
    ///
    /// Evenly filled, an aperture of 0.15 has half of it, 0.075; simulated cells have 0.036. Between the two, cells on real
    /// frames fade about as simulated ones up to 40 um, and vanish at 100 um.
    private static let spread: Float = 0.05

    /// Weights of the neighbours along a row, and along a column with the mix of phase and absorption.
    private let rows: (real: [Float], imaginary: [Float])
    private let columns: (real: [Float], imaginary: [Float])

    /// Optics whose focus is `shift` um from a frame's; `phase` is kappa, 0 where all detail is absorption.
    package init(shift: Float, phase: Float) {
        let (real, imaginary) = Self.kernel(shift: shift)
        rows = (real, imaginary)
        columns = (
            zip(real, imaginary).map { $0 + phase * $1 }, zip(real, imaginary).map { $1 - phase * $0 }
        )
    }

    /// The frame as these optics show it; what is uniform stays.
    package func applied(to frame: Frame) -> Frame {
        let real = SeparableFilter.alongRows(frame, rows.real, .mirrored)
        let imaginary = SeparableFilter.alongRows(frame, rows.imaginary, .mirrored)
        var result = SeparableFilter.alongColumns(real, columns.real, .mirrored)
        let other = SeparableFilter.alongColumns(imaginary, columns.imaginary, .mirrored)
        for index in result.pixels.indices { result.pixels[index] -= other.pixels[index] }
        return result
    }

    /// `exp(i chi) E` along a line, back from frequencies to pixels; its sum is 1.
    private static func kernel(shift: Float) -> (real: [Float], imaginary: [Float]) {
        let radius = radius(shift: shift)
        var count = 512
        while count < 4 * radius { count *= 2 }
        let cosines = (0..<count).map {
            Arithmetic.sineCosine(2 * Arithmetic.pi * Float($0) / Float(count)).cosine
        }
        let factors = (0...count / 2).map { index in
            let frequency = Float(index) / (Float(count) * pixelSize)
            let blur = Arithmetic.pi * spread * shift * frequency
            let chi = Arithmetic.pi * wavelength * shift * frequency * frequency
            let (sine, cosine) = Arithmetic.sineCosine(chi)
            // The lowest and the highest frequency are there once, the others twice.
            let share: Float = index == 0 || 2 * index == count ? 1 : 2
            let size = share * Arithmetic.exponential(-2 * blur * blur) / Float(count)
            return (real: size * cosine, imaginary: size * sine)
        }
        var kernel = (real: [Float](), imaginary: [Float]())
        for place in -radius...radius {
            var sum: (real: Float, imaginary: Float) = (0, 0)
            for (index, factor) in factors.enumerated() {
                let cosine = cosines[index * abs(place) % count]
                sum.real += factor.real * cosine
                sum.imaginary += factor.imaginary * cosine
            }
            kernel.real.append(sum.real)
            kernel.imaginary.append(sum.imaginary)
        }
        return normalised(kernel)
    }

    /// Pixels that detail spreads: its finest that the condenser leaves goes to the side as diffraction sends it.
    private static func radius(shift: Float) -> Int {
        let way = max(abs(shift), 1e-3)
        let finest = min(0.5 / pixelSize, 0.48 / (spread * way))
        return Int(((wavelength * finest + 3 * spread) * way / pixelSize).rounded(.up)) + 8
    }

    /// Divided by the complex sum of all weights.
    private static func normalised(_ kernel: ([Float], [Float])) -> (real: [Float], imaginary: [Float]) {
        let sum = (kernel.0.reduce(0, +), kernel.1.reduce(0, +))
        let square = sum.0 * sum.0 + sum.1 * sum.1
        let pairs = zip(kernel.0, kernel.1)
        return (
            pairs.map { ($0 * sum.0 + $1 * sum.1) / square }, pairs.map { ($1 * sum.0 - $0 * sum.1) / square }
        )
    }
}
