import Diffusion
import Networks
import Plate
import Tensors
import TestSupport
import Testing

/// A VAE's latent vector at test: its mean by default, drawn for each window on request.
struct SampledLatentTests {
    private let reconstructor: ReferenceReconstructor
    private let frame: Frame

    init() {
        var size = AutoencoderConfiguration()
        (size.channels, size.multipliers, size.residualBlocks, size.headChannels) = (32, [1, 2], 1, 32)
        var bottleneck = AutoencoderConfiguration.Bottleneck()
        (bottleneck.latent, bottleneck.imageSize) = (8, 16)
        size.variational = bottleneck
        var random = TestGenerator(seed: 4)
        let network = ReferenceNetwork(.autoencoder(size), using: &random)
        // The last layers start at zero, so that an untrained network would show nothing of its latent vector.
        for parameter in network.network.parameters {
            let shape = parameter.variable.shape
            let values = random.floats(shape.reduce(1, *)).map { 0.1 * $0 }
            parameter.variable.value = Tensor(values, shape: shape)
        }
        var settings = ReferenceSettings(published: .vae)
        settings.network = .autoencoder(size)
        (settings.window, settings.patch, settings.overlap) = (16, 16, 0)
        let windows = WindowReconstructor(
            method: .vae,
            settings: settings,
            noise: WindowNoise(settings),
            predict: network.reconstructed
        )
        reconstructor = ReferenceReconstructor(settings: settings, windows: windows)
        // Two windows of the same pixels.
        let half = random.floats(16 * 16)
        let rows = (0..<16).flatMap { row in
            let line = half[row * 16..<(row + 1) * 16]
            return line + line
        }
        frame = Frame(height: 16, width: 32, pixels: rows)
    }

    private func output(_ change: (inout ReferenceVariant) -> Void) -> [Float] {
        var variant = ReferenceVariant()
        change(&variant)
        return reconstructor.reconstruction(of: frame, variant: variant) { _ in }.output
    }

    private func halves(_ output: [Float]) -> (left: [Float], right: [Float]) {
        let rows = stride(from: 0, to: output.count, by: 32)
        return (rows.flatMap { output[$0..<$0 + 16] }, rows.flatMap { output[$0 + 16..<$0 + 32] })
    }

    @Test
    func isTheMeanUnlessAskedFor() {
        let mean = output { _ in }
        let sampled = output { $0.samplesLatent = true }
        #expect(mean != sampled)
        #expect(output { _ in } == mean)
    }

    @Test
    func isTheSameEachTimeAndAnotherForEachSeedAndWindow() {
        let sampled = output { $0.samplesLatent = true }
        #expect(output { $0.samplesLatent = true } == sampled)
        let other = output { ($0.samplesLatent, $0.noiseSeed) = (true, 7) }
        #expect(other != sampled)
        // Smoothing before the network does not know of windows, so the halves differ a little without a sample, too.
        let (plain, drawn) = (halves(output { _ in }), halves(sampled))
        let distance = { (pair: (left: [Float], right: [Float])) in
            zip(pair.left, pair.right).reduce(0) { $0 + abs($1.0 - $1.1) }
        }
        #expect(distance(drawn) > 2 * distance(plain))
    }
}
