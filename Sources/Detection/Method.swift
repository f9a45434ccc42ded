/// The five published ways of reconstructing a frame as a normal one.
package enum Method: String, Sendable, Codable, CaseIterable {
    /// Patched diffusion: one patch is noised, its clean surroundings are the condition (Behrendt et al. 2023).
    case pddpm
    /// Diffusion of whole windows (Wyatt et al. 2022).
    case ddpm
    /// A denoising autoencoder.
    case ae
    /// A denoising variational autoencoder (Kingma and Welling 2014).
    case vae
    /// A generator and an encoder into its latent space (Schlegl et al. 2019).
    case fanogan
}
