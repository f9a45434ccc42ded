import Tensors

/// Reconstructs windows as published: noise, one pass at the fixed timestep, and of pDDPM's passes the noised patch.
///
/// `predict` maps images N x W x W x 1 at one timestep each to as many reconstructions, both in [-1, 1]; in [0, 1] for
/// f-AnoGAN, whose generator and encoder were trained on such images.
struct WindowReconstructor {
    let method: Method
    let settings: ReferenceSettings
    /// window x window, the same for all windows.
    let noise: [Float]
    let predict: (_ images: Variable, _ timesteps: [Int]) -> Variable

    /// Passes of one window.
    var passes: Int { method == .fanogan ? 1 : settings.patches.count }

    /// The reconstructions of windows in [0, 1], row-major, one after another; nothing is clamped.
    func reconstruct(_ windows: [Float]) -> [Float] {
        let size = settings.window * settings.window
        precondition(windows.count % size == 0, "\(windows.count) pixels are no windows of \(size)")
        guard method != .fanogan else { return passed(windows) }
        let clean = windows.map { 2 * $0 - 1 }
        let patches = settings.patches
        let predicted = passed(noised(clean, patches: patches))
        guard patches.count > 1 else { return predicted.map { 0.5 * ($0 + 1) } }
        var result = clean
        for start in stride(from: 0, to: clean.count, by: size) {
            for (index, runs) in patches.enumerated() {
                let pass = start * patches.count + index * size
                for run in runs {
                    for pixel in run { result[start + pixel] = 0.5 * (predicted[pass + pixel] + 1) }
                }
            }
        }
        return result
    }

    /// A copy of each window for each patch, with that patch noised.
    private func noised(_ clean: [Float], patches: [[Range<Int>]]) -> [Float] {
        let size = settings.window * settings.window
        let schedule = DiffusionSchedule(count: settings.steps)
        var result: [Float] = []
        result.reserveCapacity(clean.count * patches.count)
        for start in stride(from: 0, to: clean.count, by: size) {
            for runs in patches {
                var image = Array(clean[start..<start + size])
                PatchedDiffusion.noise(
                    &image,
                    runs: runs,
                    field: noise,
                    signalScale: schedule.signalScale[settings.timestep],
                    noiseScale: schedule.noiseScale[settings.timestep]
                )
                result += image
            }
        }
        return result
    }

    private func passed(_ images: [Float]) -> [Float] {
        let count = images.count / (settings.window * settings.window)
        let shape = [count, settings.window, settings.window, 1]
        return Recording.off {
            predict(
                Variable(constant: Tensor(images, shape: shape)),
                Array(repeating: settings.timestep, count: count)
            ).value.values
        }
    }
}
