import Networks
import Tensors
import TestSupport
import Testing

struct RealtimeUNetTests {
    private func small() throws -> RealtimeUNet {
        var random = TestGenerator(seed: 1)
        let architecture = try #require(
            RealtimeUNet.Architecture(channels: [8, 12, 16], blocks: [1, 1, 2], embedding: 8)
        )
        return RealtimeUNet(architecture, using: &random)
    }

    @Test(arguments: [[1, 16, 16, 1], [2, 48, 32, 1]])
    func keepsTheSize(shape: [Int]) throws {
        let x = Variable(constant: Tensor(repeating: 0.5, shape: shape))
        #expect(try small()(x, timesteps: Array(repeating: 3, count: shape[0])).shape == shape)
    }

    @Test func foldingTheTimestepChangesNothing() throws {
        var random = TestGenerator(seed: 4)
        let network = try small()
        let x = Variable(constant: Tensor(random.floats(32 * 48), shape: [1, 32, 48, 1]))
        let plain = network(x, timesteps: [20]).value.values
        let folded = Recording.off { network.folded(timestep: 20)(x, timesteps: [20]).value.values }
        #expect(relativeError(folded, plain) < 1e-5)
        #expect(relativeError(network(x, timesteps: [400]).value.values, plain) > 1e-3)
    }

    @Test func everyParameterHasANameAndAGradient() throws {
        var random = TestGenerator(seed: 5)
        let network = try small()
        let parameters = network.parameters
        #expect(Set(parameters.map(\.name)).count == parameters.count)
        let x = Variable(constant: Tensor(random.floats(2 * 32 * 32), shape: [2, 32, 32, 1]))
        let y = network(x, timesteps: [20, 100])
        let found = gradients(of: (y * y).mean(), with: parameters.map(\.variable))
        for (parameter, gradient) in zip(parameters, found) {
            #expect(gradient.value.values.contains { $0 != 0 }, "\(parameter.name)")
        }
    }

    @Test func aFewStepsOfAdamFitAnImage() throws {
        var random = TestGenerator(seed: 6)
        let network = try small()
        let variables = network.parameters.map(\.variable)
        var adam = Adam(shapes: variables.map(\.shape))
        let target = Variable(constant: Tensor(random.floats(32 * 32), shape: [1, 32, 32, 1]))
        var losses: [Float] = []
        for _ in 0..<40 {
            let difference = network(target, timesteps: [20]) - target
            let loss = (difference * difference).mean()
            losses.append(loss.value.scalar)
            let slopes = gradients(of: loss, with: variables).map(\.value)
            adam.update(variables, gradients: slopes, learningRate: 3e-3)
        }
        #expect(try #require(losses.last) < 0.5 * losses[0])
    }
}
