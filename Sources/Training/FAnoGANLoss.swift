import Diffusion
package import Networks
package import Tensors

/// The losses of f-AnoGAN's two stages.
package enum FAnoGANLoss {
    private static let penaltyWeight: Float = 10
    private static let featureWeight: Float = 1

    /// What the discriminator minimises.
    package struct Critic {
        /// mean D(fake) - mean D(real) + 10 x penalty.
        package let total: Variable
        /// mean (|grad D| - 1)^2 between the real images and the fake ones.
        package let penalty: Variable
    }

    /// What the encoder minimises.
    package struct Encoding {
        /// structure + 1.0 x features.
        package let total: Variable
        /// Mean DSSIM of images and reconstructions.
        package let structure: Variable
        /// Mean squared difference of the discriminator's features of both.
        package let features: Variable
    }

    /// The loss of a Wasserstein critic with gradient penalty.
    ///
    /// Gulrajani et al. 2017, algorithm 1. Images are N x S x S x 1; `shares`, N in [0, 1], say how much of
    /// the real image is in the one at which the slope is taken. Three passes, each by the statistics of its
    /// own batch.
    package static func critic(
        _ discriminator: FAnoGAN.Discriminator,
        real: Tensor,
        fake: Tensor,
        shares: [Float],
        dropout: ChannelDropout? = nil
    ) -> Critic {
        func judged(_ images: Variable) -> Variable {
            discriminator(images, mode: .training, dropout: dropout)
        }
        let distance = judged(Variable(constant: fake)).mean() - judged(Variable(constant: real)).mean()
        let between = Variable(parameter: mixed(real, fake, shares: shares))
        let slope = gradients(of: judged(between).sum(), with: [between], differentiable: true)[0]
        let excess = norms(slope).affine(scale: 1, shift: -1)
        let penalty = (excess * excess).mean()
        return Critic(total: distance + penalty.affine(scale: penaltyWeight), penalty: penalty)
    }

    /// What the generator minimises: -mean D(fake), the discriminator left as it is.
    package static func generator(
        _ networks: FAnoGAN,
        latent: Tensor,
        dropout: ChannelDropout? = nil
    ) -> Variable {
        let fake = networks.generator(Variable(constant: latent), mode: .training)
        return networks.discriminator(fake, mode: .training, dropout: dropout).mean().affine(scale: -1)
    }

    /// The loss 'izi_f': an image, its reconstruction from its latent vector, and what the discriminator sees
    /// in both.
    ///
    /// Schlegl et al. 2019, equation 3, with DSSIM in place of the squared difference of pixels. Images are N
    /// x S x S x 1 in [0, 1]. Generator and discriminator keep their running statistics; `mode` and `dropout`
    /// are the encoder's.
    package static func encoding(
        _ networks: FAnoGAN,
        images: Tensor,
        mode: NormalisationMode,
        dropout: ChannelDropout? = nil
    ) -> Encoding {
        let input = Variable(constant: images)
        let latent = networks.encoder(input, mode: mode, dropout: dropout)
        let reconstruction = networks.generator(latent, mode: .evaluation)
        let structure = dissimilarity(images, reconstruction)
        let seen = Recording.off { networks.discriminator.features(input, mode: .evaluation) }
        let difference = networks.discriminator.features(reconstruction, mode: .evaluation) - seen
        let features = (difference * difference).mean()
        return Encoding(
            total: structure + features.affine(scale: featureWeight),
            structure: structure,
            features: features
        )
    }

    /// share x real + (1 - share) x fake, a share an image.
    private static func mixed(_ real: Tensor, _ fake: Tensor, shares: [Float]) -> Tensor {
        precondition(shares.count == real.shape[0], "\(shares.count) shares for images \(real.shape)")
        let share = Variable(constant: Tensor(shares, shape: [shares.count, 1]))
        let rest = share.affine(scale: -1, shift: 1)
        return Recording.off {
            (Variable(constant: real).scalingChannels(share)
                + Variable(constant: fake).scalingChannels(rest)).value
        }
    }

    /// The Euclidean norm of each image, N x 1.
    private static func norms(_ images: Variable) -> Variable {
        let (count, height, width) = (images.shape[0], images.shape[1], images.shape[2])
        // Columns take the place of channels: sums over rows, then over columns, are shorter and so more exact.
        let columns = images.reshaped([count, height, 1, width])
        let ones = Variable(constant: Tensor(repeating: 1, shape: [width, 1]))
        // The root's slope at 0 is infinite; this keeps it finite and changes nothing that a float shows.
        return columns.dotOverPixels(columns).multiplied(by: ones).affine(scale: 1, shift: 1e-12).power(0.5)
    }

    /// The mean DSSIM, which can be differentiated once with respect to the reconstruction.
    private static func dissimilarity(_ images: Tensor, _ reconstruction: Variable) -> Variable {
        let (count, height, width) = (images.shape[0], images.shape[1], images.shape[2])
        let loss = StructuralLoss(structure: 1, absolute: 0).valueAndGradient(
            input: images.values,
            reconstruction: reconstruction.value.values,
            count: count,
            height: height,
            width: width
        )
        return Variable(value: Tensor([loss.value], shape: []), inputs: [reconstruction]) { upstream in
            let gradient = Variable(constant: Tensor(loss.gradient, shape: reconstruction.shape))
            return [gradient.affine(scale: upstream.value.scalar)]
        }
    }
}
