package import Plate
import Randomness

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

/// What the `reference` profile is made of: the published method, at any size of network and window.
package struct ReferenceSettings: Sendable, Equatable, Codable {
    /// The network and its size.
    package var network: NetworkConfiguration
    /// Pixels per side of the sliding window, and of the crops trained on.
    package var window = 192
    /// Share of a window that the next one covers again, in [0, 1).
    package var overlap = 0.8
    /// Pixels per side of the patches that pDDPM noises one after another; the whole window for the others.
    package var patch = 192
    /// Steps of the cosine schedule.
    package var steps = 1000
    /// The fixed timestep at test, an index into the schedule.
    package var timestep = 49
    /// Kind of noise; f-AnoGAN takes none.
    package var noise = NoiseKind.simplex
    /// Seed of the noise field at test, the same for all windows.
    package var noiseSeed: UInt64 = 1
    /// Steps of the curvature flow before anything else.
    package var flowIterations = 3
    /// Length of such a step.
    package var flowTimeStep: Float = 0.125

    /// The published settings of a method.
    package init(published method: Method) {
        network = NetworkConfiguration(published: method)
        if method == .pddpm { patch = 96 }
        if method == .ddpm { noise = .gaussian }
        if method == .ae || method == .vae { timestep = 0 }
    }

    /// What cannot be built, in words; `nil` if everything can.
    package func fault(method: Method) -> String? {
        guard (8...1024).contains(window) else { return "has a window of \(window); 8 to 1024 can be used" }
        guard overlap >= 0, overlap < 1 else {
            return "has windows that overlap by \(overlap); from 0 to below 1 is possible"
        }
        if let fault = network.fault(method: method, window: window) { return fault }
        guard window % network.sizeMultiple == 0 else {
            return
                "has a window of \(window), which is not a multiple of its network's \(network.sizeMultiple)"
        }
        guard patch > 0, window % patch == 0, method == .pddpm || patch == window else {
            return "has patches of \(patch), which do not divide its window of \(window)"
        }
        guard (2...100_000).contains(steps), (0..<steps).contains(timestep) else {
            return "noises at timestep \(timestep) of \(steps)"
        }
        guard (0...1000).contains(flowIterations), flowTimeStep > 0, flowTimeStep <= 0.25 else {
            return
                "smooths in \(flowIterations) steps of \(flowTimeStep); up to 1000 of up to 0.25 are possible"
        }
        return nil
    }
}

extension ReferenceSettings {
    /// The published preprocessing of a whole frame: curvature flow, then a rescale to [0, 1].
    ///
    /// `range` are grey values after smoothing that become 0 and 1, instead of the frame's darkest and brightest.
    package func preprocessed(_ frame: Frame, range: ClosedRange<Float>? = nil) -> Frame {
        let smoothed = smoothed(frame)
        return smoothed.rescaled(from: range ?? smoothed.greyRange)
    }

    /// The grey values of a frame after smoothing.
    package func greyRange(of frame: Frame) -> ClosedRange<Float> { smoothed(frame).greyRange }

    private func smoothed(_ frame: Frame) -> Frame {
        CurvatureFlow(timeStep: flowTimeStep, iterations: flowIterations).smoothed(frame)
    }

    /// The noise field of a window, row-major.
    package func noiseField(seed: UInt64) -> [Float] {
        var generator = SplitMix64(state: seed)
        return noise.field(height: window, width: window, using: &generator)
    }

    /// The patches of a window that are noised one after another, as runs of indices of a row-major window; one for all
    /// methods but pDDPM.
    package var patches: [[Range<Int>]] {
        let side = window / patch
        return (0..<side * side).map { index in
            let (row, column) = index.quotientAndRemainder(dividingBy: side)
            return (row * patch..<(row + 1) * patch).map { line in
                let start = line * window + column * patch
                return start..<start + patch
            }
        }
    }
}
