import Networks
import Tensors
import TestSupport
import Testing

struct UNetTests {
    /// 601 GFLOP for 192 x 192 pixels, as measured of the published system.
    ///
    /// Counted at a fourth of the side, since all but attention grows with the pixels and attention with their square.
    @Test func publishedNetworkHasItsParametersAndWork() {
        var random = ZeroGenerator()
        let network = UNet(UNetConfiguration(), using: &random)
        let count = network.parameters.map(\.variable.value.count).reduce(0, +)
        #expect(count == 37_513_857)
        let x = Variable(constant: Tensor(repeating: 0, shape: [1, 48, 48, 1]))
        let times = KernelTimes.of { _ = Recording.off { network(x, timesteps: [49]) } }.times
        let attention = times.operations { $0 == .attention }
        let total = 16 * (times.operations() - attention) + 256 * attention
        #expect(abs(total / 601e9 - 1) < 0.005, "\(total / 1e9) GFLOP")
    }

    /// In networks with attention in the middle only, and with attention at every level as windows of 32 have it.
    @Test(arguments: [UNetConfiguration.Conditioning.scaleShift, .added], [[], [0, 1]])
    func timestepReachesTheOutput(
        conditioning: UNetConfiguration.Conditioning,
        attention: [Int]
    ) throws {
        var random = TestGenerator(seed: 41)
        var configuration = UNetConfiguration()
        // With one channel a group, what is added to a whole channel would vanish in the norm.
        (configuration.channels, configuration.multipliers) = (64, [1, 2])
        (configuration.residualBlocks, configuration.headChannels) = (1, 32)
        configuration.conditioning = conditioning
        configuration.attentionLevels = attention
        let network = UNet(configuration, using: &random)
        // The published network starts with the last convolutions at zero; any weights show the way.
        for parameter in network.parameters where parameter.variable.value.values.allSatisfy({ $0 == 0 }) {
            let shape = parameter.variable.shape
            parameter.variable.value = Tensor(
                random.floats(shape.reduce(1, *), in: -0.1...0.1),
                shape: shape
            )
        }
        let x = Variable(constant: Tensor(random.floats(2 * 16 * 8), shape: [2, 16, 8, 1]))
        let early = network(x, timesteps: [3, 3])
        #expect(early.shape == x.shape)
        #expect(relativeError(network(x, timesteps: [700, 700]).value.values, early.value.values) > 1e-3)
        let found = gradients(of: (early * early).mean(), with: network.parameters.map(\.variable))
        for (parameter, gradient) in zip(network.parameters, found) {
            #expect(gradient.value.values.contains { $0 != 0 }, "\(parameter.name)")
        }
    }

    @Test func publishedWeightsAreTakenWholeOrNotAtAll() throws {
        var random = TestGenerator(seed: 42)
        var configuration = UNetConfiguration()
        (configuration.channels, configuration.multipliers) = (32, [1])
        (configuration.residualBlocks, configuration.headChannels) = (1, 32)
        let network = UNet(configuration, using: &random)
        let other = UNet(configuration, using: &random)
        var weights = other.published
        weights["bn.num_batches_tracked"] = Tensor([7], shape: [])
        weights["out.2.bias"] = Tensor([.nan], shape: [1])
        weights["out.0.bias"] = nil
        weights["extra"] = Tensor([1], shape: [1])
        weights["out.2.weight"] = Tensor(repeating: 0, shape: [1, 3, 3, 32])
        let before = network.published.mapValues(\.values)
        let faults = network.load(published: weights)
        #expect(faults.count == 4, "\(faults)")
        #expect(network.published.mapValues(\.values) == before)
        #expect(network.load(published: other.published).isEmpty)
        #expect(network.published.mapValues(\.values) == other.published.mapValues(\.values))
    }
}
