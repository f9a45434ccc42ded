package import Tensors

/// The weights of a checkpoint under the names that the published networks give them.
///
/// Around those names training code leaves its own: `diffusion.model.`, `model.`, `net.`, `module.` and the like are taken
/// off the front, `generator.`, `discriminator.` and `encoder.` become `G.`, `D.` and `E.`. Left out are what no network
/// needs: the diffusion's own schedule (`betas`, `alphas_cumprod`, ...), and the counters of batch normalisations.
package struct PublishedWeights: Sendable {
    /// The weights by their published names, in the checkpoint's layout; all of them finite.
    package let tensors: [String: Tensor]
    /// What was left out, as the checkpoint names it, sorted.
    package let skipped: [String]

    private static let wrappers: Set<Substring> = [
        "diffusion", "model", "net", "network", "module", "_orig_mod", "state_dict", "model_state_dict",
    ]
    /// Buffers of a diffusion and counters of a batch normalisation.
    private static let buffers: Set<Substring> = [
        "betas", "alphas", "alphas_cumprod", "alphas_cumprod_prev", "sqrt_alphas_cumprod",
        "sqrt_one_minus_alphas_cumprod", "log_one_minus_alphas_cumprod", "sqrt_recip_alphas_cumprod",
        "sqrt_recipm1_alphas_cumprod", "posterior_variance", "posterior_log_variance_clipped",
        "posterior_mean_coef1", "posterior_mean_coef2", "p2_loss_weight", "loss_weight",
        "num_batches_tracked",
    ]
    private static let aliases: [Substring: String] = [
        "generator": "G", "discriminator": "D", "encoder": "E",
    ]

    /// Takes the three files of an f-AnoGAN, told apart by the weights in them, in any order.
    package init(
        fanogan parts: [(checkpoint: Checkpoint, path: String)],
        leaving: [String] = []
    ) throws(CheckpointError) {
        var (tensors, skipped): ([String: Tensor], [String]) = ([:], [])
        var paths: [String: String] = [:]
        for (checkpoint, path) in parts {
            guard let role = Self.role(of: checkpoint, path: path) else {
                throw CheckpointError(
                    .notACheckpoint,
                    path,
                    "holds neither generator, discriminator nor encoder of an f-AnoGAN"
                )
            }
            if let other = paths.updateValue(path, forKey: role) {
                let part = Self.aliases.first { $0.value == role }.map { String($0.key) } ?? role
                throw CheckpointError(
                    .ambiguous,
                    path,
                    "holds the \(part) of an f-AnoGAN, and so does \(other.printable)"
                )
            }
            let part = try PublishedWeights(checkpoint.inside(role), path: path, leaving: leaving)
            tensors.merge(part.tensors) { $1 }
            skipped += part.skipped
        }
        (self.tensors, self.skipped) = (tensors, skipped.sorted())
    }

    /// G, D or E for a generator, discriminator or encoder; `nil` for anything else.
    private static func role(of checkpoint: Checkpoint, path: String) -> String? {
        let shape = { (name: String) in
            checkpoint.tensors.first { $0.key == name || $0.key.hasSuffix(".\(name)") }?.value.shape
        }
        if shape("l1.0.weight") != nil { return "G" }
        guard let outputs = shape("adv_layer.0.weight")?.first else { return nil }
        // A discriminator gives one number. So does an encoder to a latent vector of one, which its name alone tells.
        let isEncoder = outputs > 1 || (path.split(separator: "/").last ?? "").hasPrefix("encoder")
        return isEncoder ? "E" : "D"
    }

    /// Sorts a checkpoint's tensors.
    ///
    /// `leaving` are beginnings of names to leave out too. Weights that are not
    /// finite, and two tensors of one name, are refused.
    package init(_ checkpoint: Checkpoint, path: String, leaving: [String] = []) throws(CheckpointError) {
        var tensors: [String: Tensor] = [:]
        var origins: [String: String] = [:]
        var skipped = checkpoint.ignored
        for (name, tensor) in checkpoint.tensors.sorted(by: { $0.key < $1.key }) {
            guard !leaving.contains(where: name.hasPrefix), let published = Self.published(name) else {
                skipped.append(name)
                continue
            }
            if let other = origins.updateValue(name, forKey: published) {
                throw CheckpointError(
                    .ambiguous,
                    path,
                    "\(other.printable) and \(name.printable) are the same weight"
                )
            }
            try Self.check(tensor, name: name, path: path)
            tensors[published] = tensor
        }
        self.tensors = tensors
        self.skipped = skipped.sorted()
    }

    /// The published name of a weight; `nil` for what no network needs.
    private static func published(_ name: String) -> String? {
        var parts = name.split(separator: ".", omittingEmptySubsequences: false)[...]
        guard let last = parts.last, !buffers.contains(last) else { return nil }
        while parts.count > 1, let first = parts.first, wrappers.contains(first) { parts.removeFirst() }
        if let first = parts.first, let alias = aliases[first] { parts[parts.startIndex] = alias[...] }
        return parts.joined(separator: ".")
    }

    private static func check(_ tensor: Tensor, name: String, path: String) throws(CheckpointError) {
        let index = tensor.withSpan { span in span.indices.first { !span[$0].isFinite } }
        guard let index else { return }
        throw CheckpointError(.notFinite, path, "value \(index) of \(name.printable) is not a finite number")
    }
}
