import Networks
import Tensors
import TestSupport
import Testing

@testable import Training

/// f-AnoGAN against the published system: networks, losses and every gradient, dropout off.
struct FAnoGANGoldenTests {
    private let fixture: Fixture
    private let expected: ExpectedValues
    private let networks: FAnoGAN

    init() throws {
        fixture = try Fixture("fanogan_small")
        expected = try ExpectedValues()
        var configuration = FAnoGANConfiguration()
        configuration.imageSize = Int(try expected.number("fanogan_small", "img_size"))
        configuration.latent = Int(try expected.number("fanogan_small", "latent_dim"))
        var random = TestGenerator(seed: 1)
        networks = FAnoGAN(configuration, using: &random)
        var weights: [String: Tensor] = [:]
        for name in fixture.names
        where ["G.", "D.", "E."].contains(name.prefix(2)) && !name.hasSuffix("num_batches_tracked") {
            weights[name] = try tensor(name)
        }
        #expect(networks.load(published: weights) == [])
    }

    private func tensor(_ name: String) throws -> Tensor {
        let found = try fixture.floats(name)
        return Tensor(found.values, shape: found.shape)
    }

    /// Images N x 1 x S x S as ours, N x S x S x 1.
    private func images(_ name: String) throws -> Tensor {
        let found = try tensor(name)
        return found.reshaped([found.shape[0], found.shape[2], found.shape[3], 1])
    }

    private func number(_ key: String) throws -> Double { try expected.number("fanogan_small", key) }

    /// Every published gradient under a prefix against ours.
    private func compare(_ found: [Variable], _ parameters: [NamedParameter], prefix: String) throws {
        let pairs = try zip(parameters, found).map { parameter, gradient in
            let published = parameter.layout.converted(from: try tensor("\(prefix).\(parameter.name)"))
            return (parameter.name, gradient.value.values, published.values)
        }
        let size = { (values: [Float]) in
            values.reduce(0) { $0 + Double($1) * Double($1) }.squareRoot()
        }
        // Some gradients are zero: what shifts every judgement alike shifts those of real and fake images alike. Beside
        // them all the others say how large a rounding error may be.
        let floor = 1e-6 * (pairs.map { size($0.2) }.max() ?? 0)
        for (name, ours, published) in pairs {
            let error = size(zip(ours, published).map { $0 - $1 })
            #expect(
                error <= 1e-3 * size(published) + floor,
                "\(prefix).\(name): \(error) of \(size(published))"
            )
        }
    }

    @Test(.enabled(if: TestData.fixtures != nil, Comment(rawValue: TestData.missingFixtures)))
    func networksAgree() throws {
        let real = Variable(constant: try images("io.real"))
        // First, since the two passes after it move the running statistics.
        let reconstruction = networks.reconstructed(real).value.values
        let fake = networks.generator(Variable(constant: try tensor("io.z")), mode: .training)
        #expect(relativeError(fake.value.values, try images("io.fake").values) < 1e-4)
        let latent = networks.encoder(real, mode: .training)
        #expect(relativeError(latent.value.values, try tensor("io.encoder_z_train").values) < 1e-4)
        let published = try images("io.reconstruction_eval").values
        #expect(relativeError(reconstruction, published) < 1e-4)
    }

    @Test(.enabled(if: TestData.fixtures != nil, Comment(rawValue: TestData.missingFixtures)))
    func theCriticsLossAndItsGradientsAgree() throws {
        let fake = try Recording.off {
            networks.generator(Variable(constant: try tensor("io.z")), mode: .training).value
        }
        let loss = FAnoGANLoss.critic(
            networks.discriminator,
            real: try images("io.real"),
            fake: fake,
            shares: try tensor("io.alpha").values
        )
        #expect(abs(Double(loss.penalty.value.scalar) - (try number("gradient_penalty"))) < 1e-4)
        #expect(abs(Double(loss.total.value.scalar) - (try number("d_loss"))) < 1e-3)
        let trained = networks.discriminator.parameters.filter(\.variable.requiresGradient)
        let found = gradients(of: loss.total, with: trained.map(\.variable))
        try compare(found, trained, prefix: "gradD")
    }

    @Test(.enabled(if: TestData.fixtures != nil, Comment(rawValue: TestData.missingFixtures)))
    func theEncodersLossAndItsGradientsAgree() throws {
        let loss = FAnoGANLoss.encoding(networks, images: try images("io.real"), mode: .training)
        #expect(abs(Double(loss.structure.value.scalar) - (try number("e_ssim"))) < 1e-5)
        #expect(abs(Double(loss.features.value.scalar) - (try number("e_feature_mse"))) < 1e-6)
        #expect(abs(Double(loss.total.value.scalar) - (try number("e_loss"))) < 1e-5)
        let trained = networks.encoder.parameters.filter(\.variable.requiresGradient)
        let found = gradients(of: loss.total, with: trained.map(\.variable))
        try compare(found, trained, prefix: "gradE")
    }
}
