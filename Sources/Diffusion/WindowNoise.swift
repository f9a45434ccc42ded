import Randomness
import Tensors

/// How a frame is reconstructed where that differs from the model's settings, so that published numbers can be met.
///
/// By default each frame is scaled by its own range, and one noise field of the model's seed serves all windows.
package struct ReferenceVariant: Sendable, Equatable {
    /// The grey values, after smoothing, that become 0 and 1; without it the frame's own darkest and brightest.
    package var range: ClosedRange<Float>?
    /// Seed of the noise; without it the model's.
    package var noiseSeed: UInt64?
    /// Whether noise is rounded to half precision.
    package var halvesNoise = false
    /// Whether every window has a noise field of its own.
    package var drawsNoisePerWindow = false

    /// Whether a VAE draws its latent vector instead of taking the mean.
    package var samplesLatent = false

    /// The model's own settings.
    package init() {}

    /// Whether windows have other noise than the model's own.
    var changesNoise: Bool { noiseSeed != nil || halvesNoise || drawsNoisePerWindow || samplesLatent }
}

/// What is drawn at random for a frame's windows: noise fields, row-major, and a VAE's latent vectors.
package struct WindowNoise: Sendable {
    private let shared: [Float]
    private let draw: (@Sendable (_ window: Int) -> [Float])?
    /// Seed and length of the latent vectors, if they are drawn.
    private let latent: (seed: UInt64, length: Int)?

    /// The same field for all windows.
    package init(_ field: [Float]) { (shared, draw, latent) = (field, nil, nil) }

    /// The fields of a model in a variant.
    package init(_ settings: ReferenceSettings, _ variant: ReferenceVariant = ReferenceVariant()) {
        let seed = variant.noiseSeed ?? settings.noiseSeed
        latent = variant.samplesLatent ? settings.network.sampledLatent.map { (seed, $0) } : nil
        let field = { @Sendable (seed: UInt64) in
            let field = settings.noiseField(seed: seed)
            return variant.halvesNoise ? field.map { Float(Float16($0)) } : field
        }
        guard variant.drawsNoisePerWindow else {
            (shared, draw) = (field(seed), nil)
            return
        }
        shared = []
        // A generator from a drawn number, so that neighbouring seeds share no windows.
        draw = { window in
            var random = SplitMix64(state: seed)
            return field(random.next() &+ UInt64(window))
        }
    }

    /// The field of the window of this number.
    func field(window: Int) -> [Float] { draw?(window) ?? shared }

    /// Standard normal numbers for the latent vectors of some windows, one after another; `nil` where none are drawn.
    func latents(windows: Range<Int>) -> Variable? {
        guard let latent else { return nil }
        let draws = windows.flatMap { window in
            var seeds = SplitMix64(state: latent.seed)
            var random = SplitMix64(state: seeds.next() &+ UInt64(window))
            return (0..<latent.length).map { _ in random.nextGaussian() }
        }
        return Variable(constant: Tensor(draws, shape: [windows.count, latent.length]))
    }
}
