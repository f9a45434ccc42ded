import Diffusion
import Foundation
import Networks
import Tensors
import TestSupport
import Testing

@Suite(.enabled(if: TestData.fixtures != nil, Comment(rawValue: TestData.missingFixtures)))
struct GoldenNetworkTests {
    @Test(arguments: [true, false])
    func uNetPredictsThePublishedImages(recording: Bool) throws {
        let golden = try Fixture("unet_small.io")
        let network = try GoldenNetworks.unet()
        let x = Variable(constant: try GoldenNetworks.images(golden, "x"))
        let t = try golden.integers("t").values
        let y = recording ? network(x, timesteps: t) : Recording.off { network(x, timesteps: t) }
        #expect(relativeError(y.value.values, try golden.floats("y").values) < 1e-4)
    }

    @Test func autoencoderReconstructsThePublishedImages() throws {
        let golden = try Fixture("ae_small")
        let network = try GoldenNetworks.autoencoder(golden)
        let x = Variable(constant: try GoldenNetworks.images(golden, "io.x"))
        let y = Recording.off { network(x) }
        #expect(relativeError(y.value.values, try golden.floats("io.y").values) < 1e-4)
    }

    @Test func variationalAutoencoderMeetsItsLatentAndImages() throws {
        let golden = try Fixture("vae_small")
        let network = try GoldenNetworks.autoencoder(golden)
        let x = Variable(constant: try GoldenNetworks.images(golden, "io.x"))
        try Recording.off {
            let (mean, logVariance) = network.encoded(x)
            #expect(relativeError(mean.value.values, try golden.floats("io.mu").values) < 1e-4)
            #expect(relativeError(logVariance.value.values, try golden.floats("io.logvar").values) < 1e-4)
            let noise = try golden.floats("io.eps")
            let latent = zip(zip(mean.value.values, logVariance.value.values), noise.values).map {
                $0.0 + exp(0.5 * $0.1) * $1
            }
            let y = network.decoded(Variable(constant: Tensor(latent, shape: noise.shape)))
            #expect(relativeError(y.value.values, try golden.floats("io.y").values) < 1e-4)
        }
    }

    @Test func trainingStepHasThePublishedGradientsAndWeights() throws {
        let golden = try Fixture("unet_small.io")
        let expected = try ExpectedValues()
        let network = try GoldenNetworks.unet()
        let step = try GoldenStep(golden)
        let output = network(
            Variable(constant: step.noised),
            timesteps: step.timesteps
        )
        let (loss, slope, reconstruction) = step.loss(of: output.value)
        let published = try golden.floats("train.reconstruction01").values
        #expect(relativeError(reconstruction.map { ($0 + 1) / 2 }, published) < 1e-4)
        #expect(abs(Double(loss) / (try expected.number("unet_small", "loss")) - 1) < 1e-4)

        let parameters = network.parameters
        let variables = parameters.map(\.variable)
        let surrogate = (output * Variable(constant: slope)).sum()
        let found = gradients(of: surrogate, with: variables).map(\.value)
        let vanishing = try check(found, of: parameters, golden: golden, expected: expected)

        var adam = Adam(shapes: variables.map(\.shape))
        let rate = try expected.number("unet_small", "adam", "lr")
        adam.update(variables, gradients: found, learningRate: Float(rate))
        for parameter in parameters where golden.names.contains("after_adam.\(parameter.name)") {
            let values = parameter.layout.published(from: parameter.variable.value).values
            let after = try golden.floats("after_adam.\(parameter.name)").values
            if vanishing.contains(parameter.name) {
                // Adam's first step is the learning rate times the gradient's sign, whatever its size: with a gradient
                // that is rounding alone, each value moves by up to that much either way.
                let furthest = zip(values, after).map { Double(abs($0 - $1)) }.max() ?? 0
                #expect(furthest < 2.01 * rate, "\(parameter.name) after a step")
            } else {
                #expect(relativeError(values, after) < 1e-4, "\(parameter.name) after a step")
            }
        }
    }

    /// Compares gradients; returns the parameters whose gradient is nothing but rounding.
    private func check(
        _ found: [Tensor],
        of parameters: [NamedParameter],
        golden: Fixture,
        expected: ExpectedValues
    ) throws -> Set<String> {
        let norms = try parameters.map { try expected.number("unet_small", "grad_l2", $0.name) }
        // A bias before a normalisation changes nothing, so its gradient is 0; what either system computes there is
        // the rounding of sums of large values. A gradient counts from a millionth of the largest.
        let floor = 1e-6 * (norms.max() ?? 0)
        for ((parameter, gradient), norm) in zip(zip(parameters, found), norms) {
            let values = parameter.layout.published(from: gradient).values
            let size = values.reduce(into: 0.0) { $0 += Double($1) * Double($1) }.squareRoot()
            #expect(abs(size - norm) < 1e-3 * norm + floor, "\(parameter.name): \(size), not \(norm)")
            guard golden.names.contains("grad.\(parameter.name)") else { continue }
            let whole = try golden.floats("grad.\(parameter.name)").values
            let error = relativeError(values, whole)
            #expect(error < 1e-3 || error * norm < floor, "\(parameter.name): \(error)")
        }
        return Set(zip(parameters, norms).filter { $1 < floor }.map(\.0.name))
    }
}

/// One training step of the golden values: a box of each image noised, the loss over the whole window.
private struct GoldenStep {
    let noised: Tensor
    let timesteps: [Int]
    private let clean: [Float]
    private let inside: [Bool]
    private let shape: [Int]

    init(_ golden: Fixture) throws {
        let images = try GoldenNetworks.images(golden, "train.image01")
        let noise = try golden.floats("train.noise").values
        let boxes = try golden.integers("train.box_x0y0x1y1").values
        shape = images.shape
        let (height, width) = (shape[1], shape[2])
        clean = images.values.map { 2 * $0 - 1 }
        inside = (0..<clean.count).map { index in
            let box = Array(boxes[index / (height * width) * 4..<index / (height * width) * 4 + 4])
            return (box[0]..<box[2]).contains(index % width)
                && (box[1]..<box[3]).contains(index / width % height)
        }
        let timestep = 49
        timesteps = Array(repeating: timestep, count: shape[0])
        let schedule = DiffusionSchedule()
        let (signal, share) = (schedule.signalScale[timestep], schedule.noiseScale[timestep])
        let values = clean.indices.map { [clean, inside] in
            inside[$0] ? signal * clean[$0] + share * noise[$0] : clean[$0]
        }
        noised = Tensor(values, shape: shape)
    }

    /// The loss, its gradient with respect to the network's output, and the reconstruction.
    func loss(of output: Tensor) -> (value: Float, slope: Tensor, reconstruction: [Float]) {
        let values = output.values
        let reconstruction = values.indices.map { inside[$0] ? values[$0] : clean[$0] }
        let (value, _, gradient) = StructuralLoss.half.valueAndGradient(
            input: clean,
            reconstruction: reconstruction,
            count: shape[0],
            height: shape[1],
            width: shape[2]
        )
        let slope = gradient.indices.map { inside[$0] ? gradient[$0] : 0 }
        return (value, Tensor(slope, shape: shape), reconstruction)
    }
}
