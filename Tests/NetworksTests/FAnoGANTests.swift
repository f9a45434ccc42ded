import Networks
import Tensors
import TestSupport
import Testing

struct FAnoGANTests {
    private func small(seed: UInt64 = 1) -> FAnoGAN {
        var configuration = FAnoGANConfiguration()
        (configuration.imageSize, configuration.latent) = (48, 5)
        var random = TestGenerator(seed: seed)
        return FAnoGAN(configuration, using: &random)
    }

    @Test func sizesFollowFromTheConfiguration() {
        let networks = small()
        let z = Variable(constant: Tensor(repeating: 0.3, shape: [2, 5]))
        let images = networks.generator(z, mode: .evaluation)
        #expect(images.shape == [2, 48, 48, 1])
        #expect(images.value.values.allSatisfy { abs($0) < 1 })
        #expect(networks.discriminator(images, mode: .evaluation).shape == [2, 1])
        #expect(networks.discriminator.features(images, mode: .evaluation).shape == [2, 3 * 3 * 128])
        #expect(networks.encoder(images, mode: .evaluation).shape == [2, 5])
        #expect(networks.reconstructed(images).shape == images.shape)
    }

    @Test func everyTrainedParameterHasAGradientAndRunningStatisticsHaveNone() {
        var random = TestGenerator(seed: 2)
        let networks = small()
        let parameters = networks.parameters
        #expect(Set(parameters.map(\.name)).count == parameters.count)
        #expect(
            parameters.allSatisfy { $0.variable.requiresGradient != $0.name.contains(".running_") }
        )
        let x = Variable(constant: Tensor(random.floats(2 * 48 * 48), shape: [2, 48, 48, 1]))
        let latent = networks.encoder(x, mode: .training)
        let judged = networks.discriminator(networks.generator(latent, mode: .training), mode: .training)
        let trained = parameters.filter(\.variable.requiresGradient)
        let found = gradients(of: (judged * judged).sum(), with: trained.map(\.variable))
        for (parameter, gradient) in zip(trained, found) {
            #expect(gradient.value.values.contains { $0 != 0 }, "\(parameter.name)")
        }
    }

    @Test func trainingMovesTheRunningStatisticsAndEvaluationUsesThem() {
        var random = TestGenerator(seed: 3)
        let encoder = small().encoder
        let x = Variable(constant: Tensor(random.floats(4 * 48 * 48), shape: [4, 48, 48, 1]))
        let before = encoder(x, mode: .evaluation).value.values
        #expect(encoder(x, mode: .evaluation).value.values == before)
        let trained = encoder(x, mode: .training).value.values
        // A tenth of the way at each batch: after many, evaluation gives nearly what training gives.
        for _ in 0..<100 { _ = Recording.off { encoder(x, mode: .training) } }
        let after = encoder(x, mode: .evaluation).value.values
        #expect(relativeError(before, trained) > 1e-3)
        #expect(relativeError(after, trained) < 0.1 * relativeError(before, trained))
    }

    @Test func dropoutFollowsFromItsGenerator() {
        var random = TestGenerator(seed: 4)
        let networks = small()
        let x = Variable(constant: Tensor(random.floats(2 * 48 * 48), shape: [2, 48, 48, 1]))
        func judged(_ seed: UInt64) -> [Float] {
            let dropout = ChannelDropout(using: TestGenerator(seed: seed))
            return networks.discriminator(x, mode: .training, dropout: dropout).value.values
        }
        #expect(judged(1) == judged(1))
        #expect(judged(1) != judged(2))
        #expect(judged(1) != networks.discriminator(x, mode: .training).value.values)
    }
}
