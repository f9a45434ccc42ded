import Foundation
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

    /// Every published gradient under a prefix against ours; `uncertain` is what rounding may decide either way, by name.
    private func compare(
        _ found: [Variable],
        _ parameters: [NamedParameter],
        prefix: String,
        uncertain: [String: Double] = [:]
    ) throws {
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
                error <= 1e-3 * size(published) + floor + uncertain[name, default: 0],
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

    /// DSSIM is clamped where SSIM falls below 0, and its gradient ends there.
    ///
    /// Where SSIM is as small as the rounding of 1 - SSIM,
    /// each system's own rounding decides on which side a pixel lies. The reconstructions of random weights are nearly flat, and
    /// some have dozens of such pixels. Then PyTorch's own gradients in float32 differ from those in float64 by 2e-3 in every
    /// tensor, and with the sides of float64 by 1e-6. So the difference is rounding at a kink. It is allowed for here, pixel by pixel.
    @Test(.enabled(if: TestData.fixtures != nil, Comment(rawValue: TestData.missingFixtures)))
    func theEncodersLossAndItsGradientsAgree() throws {
        let loss = FAnoGANLoss.encoding(networks, images: try images("io.real"), mode: .training)
        #expect(abs(Double(loss.structure.value.scalar) - (try number("e_ssim"))) < 1e-5)
        #expect(abs(Double(loss.features.value.scalar) - (try number("e_feature_mse"))) < 1e-6)
        #expect(abs(Double(loss.total.value.scalar) - (try number("e_loss"))) < 1e-5)
        let trained = networks.encoder.parameters.filter(\.variable.requiresGradient)
        let found = gradients(of: loss.total, with: trained.map(\.variable))
        let uncertain = try whatTheKinkDecides(trained)
        try compare(found, trained, prefix: "gradE", uncertain: uncertain)
    }

    /// What the pixels at the clamp's edge add to each gradient, their sizes summed up: no choice of sides changes more.
    private func whatTheKinkDecides(_ trained: [NamedParameter]) throws -> [String: Double] {
        let input = try images("io.real")
        let (count, side) = (input.shape[0], input.shape[1])
        let latent = networks.encoder(Variable(constant: input), mode: .training)
        let reconstruction = networks.generator(latent, mode: .evaluation)
        let (x, y) = (input.values.map { Double($0) }, reconstruction.value.values.map { Double($0) })
        var sizes: [String: Double] = [:]
        for image in 0..<count {
            let start = image * side * side
            let pair = PlainSSIM(
                x: Array(x[start..<start + side * side]),
                y: Array(y[start..<start + side * side]),
                side: side
            )
            for pixel in 0..<side * side where abs(pair.value(at: pixel)) < 3e-7 {
                // The mean over all pixels of DSSIM, which is half of 1 - SSIM.
                let slope = pair.slope(at: pixel).map { -Float($0 / 2 / Double(x.count)) }
                var all = [Float](repeating: 0, count: x.count)
                all.replaceSubrange(start..<start + side * side, with: slope)
                let added = (reconstruction * Variable(constant: Tensor(all, shape: input.shape))).sum()
                for (parameter, gradient) in zip(trained, gradients(of: added, with: trained.map(\.variable)))
                {
                    let squares = gradient.value.values.reduce(0) { $0 + Double($1) * Double($1) }
                    sizes[parameter.name, default: 0] += squares.squareRoot()
                }
            }
        }
        return sizes
    }
}

/// SSIM of two images as published, in float64 and not clamped.
private struct PlainSSIM {
    let x: [Double]
    var y: [Double]
    let side: Int

    private static let taps: [Double] = {
        let raw = (-2...2).map { exp(-Double($0 * $0) / (2 * 1.5 * 1.5)) }
        return raw.map { $0 / raw.reduce(0, +) }
    }()

    /// The pixels of the window around a pixel with their weights; beyond the border the image is 0.
    private func window(_ pixel: Int) -> [(index: Int, weight: Double)] {
        (-2...2).flatMap { down in
            (-2...2).compactMap { across in
                let (row, column) = (pixel / side + down, pixel % side + across)
                guard (0..<side).contains(row), (0..<side).contains(column) else { return nil }
                return (row * side + column, Self.taps[down + 2] * Self.taps[across + 2])
            }
        }
    }

    func value(at pixel: Int) -> Double {
        var (meanX, meanY, xx, yy, xy) = (0.0, 0.0, 0.0, 0.0, 0.0)
        for (index, weight) in window(pixel) {
            meanX += weight * x[index]
            meanY += weight * y[index]
            xx += weight * x[index] * x[index]
            yy += weight * y[index] * y[index]
            xy += weight * x[index] * y[index]
        }
        let (c1, c2) = (1e-4, 9e-4)
        let covariance = xy - meanX * meanY
        let variances = xx - meanX * meanX + yy - meanY * meanY
        return (2 * meanX * meanY + c1) * (2 * covariance + c2)
            / ((meanX * meanX + meanY * meanY + c1) * (variances + c2))
    }

    /// The gradient of a pixel's value with respect to `y`, by central differences.
    func slope(at pixel: Int) -> [Double] {
        var (moved, slope) = (self, [Double](repeating: 0, count: y.count))
        let step = 1e-5
        for (index, _) in window(pixel) {
            moved.y[index] = y[index] + step
            let above = moved.value(at: pixel)
            moved.y[index] = y[index] - step
            slope[index] = (above - moved.value(at: pixel)) / (2 * step)
            moved.y[index] = y[index]
        }
        return slope
    }
}
