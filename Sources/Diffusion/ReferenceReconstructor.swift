import Foundation
package import Plate
package import Tensors

/// Reconstructs whole frames by sliding windows, as published.
package final class ReferenceReconstructor: Reconstructor {
    private let settings: ReferenceSettings
    private let sliding: SlidingWindows
    private let windows: WindowReconstructor
    private let importance: [Float]

    /// Activations of this many pixels and channels fit in one pass: two windows of pDDPM at the published size.
    private static let passVolume = 8 * 192 * 192 * 128
    /// More images than this in a pass gain no speed.
    private static let largestPass = 64

    /// Reconstructs with settings that were checked.
    package init(settings: ReferenceSettings, windows: WindowReconstructor) {
        self.settings = settings
        self.windows = windows
        sliding = SlidingWindows(window: settings.window, overlap: settings.overlap)
        importance = sliding.importance
    }

    /// Passes of all windows of a frame of this size.
    package func passes(height: Int, width: Int) -> Int {
        sliding.starts(length: height).count * sliding.starts(length: width).count * windows.passes
    }

    /// Reconstructs a frame of any size as a whole, whatever `patches` are; `report` hears of every batch of windows.
    package func reconstruction(
        of frame: Frame,
        patches: PatchSelection = .all,
        report: (ReconstructionProgress) -> Void
    ) -> Reconstruction {
        reconstruction(of: frame, variant: ReferenceVariant(), report: report)
    }

    /// The same in a variant.
    package func reconstruction(
        of frame: Frame,
        variant: ReferenceVariant,
        report: (ReconstructionProgress) -> Void
    ) -> Reconstruction {
        let image = settings.preprocessed(frame, range: variant.range)
        let noise = variant.changesNoise ? WindowNoise(settings, variant) : windows.noise
        return Reconstruction(
            input: image.pixels,
            output: reconstruct(image, noise: noise, report: report).pixels,
            height: frame.height,
            width: frame.width
        )
    }

    /// The reconstruction of an image in [0, 1]; one smaller than the window is surrounded by zeros.
    func reconstruct(
        _ image: Frame,
        noise: WindowNoise,
        report: (ReconstructionProgress) -> Void
    ) -> Frame {
        let (rows, columns) = (max(image.height, settings.window), max(image.width, settings.window))
        let (top, left) = ((rows - image.height) / 2, (columns - image.width) / 2)
        let padded =
            top + left > 0 || rows > image.height || columns > image.width
            ? image.window(row: -top, column: -left, height: rows, width: columns) : image
        let blended = blend(padded, noise: noise, report: report)
        guard padded != image else { return blended }
        return blended.window(row: top, column: left, height: image.height, width: image.width)
    }

    private func blend(
        _ image: Frame,
        noise: WindowNoise,
        report: (ReconstructionProgress) -> Void
    ) -> Frame {
        let positions = sliding.positions(height: image.height, width: image.width)
        let clock = ContinuousClock()
        let start = clock.now
        var sums = [Float](repeating: 0, count: image.pixels.count)
        var weights = sums
        for first in stride(from: 0, to: positions.count, by: windowsPerPass) {
            let batch = positions[first..<min(first + windowsPerPass, positions.count)]
            let pixels = batch.flatMap { position in
                image.window(
                    row: position.row,
                    column: position.column,
                    height: settings.window,
                    width: settings.window
                ).pixels
            }
            let reconstructed = windows.reconstruct(pixels, from: first, noise: noise)
            for (index, position) in batch.enumerated() {
                let corner = position.row * image.width + position.column
                add(reconstructed, window: index, at: corner, width: image.width, to: &sums, and: &weights)
            }
            let left =
                (clock.now - start) / .seconds(1) / Double(batch.endIndex)
                * Double(positions.count - batch.endIndex)
            report(
                ReconstructionProgress(
                    done: batch.endIndex * windows.passes,
                    all: positions.count * windows.passes,
                    secondsLeft: left
                )
            )
        }
        return Frame(height: image.height, width: image.width, pixels: zip(sums, weights).map { $0 / $1 })
    }

    private func add(
        _ reconstructed: [Float],
        window: Int,
        at corner: Int,
        width: Int,
        to sums: inout [Float],
        and weights: inout [Float]
    ) {
        let side = settings.window
        for row in 0..<side {
            let (source, target) = ((window * side + row) * side, corner + row * width)
            for column in 0..<side {
                let weight = importance[row * side + column]
                sums[target + column] += weight * reconstructed[source + column]
                weights[target + column] += weight
            }
        }
    }

    /// Windows that go through the network together.
    private var windowsPerPass: Int {
        let volume = settings.window * settings.window * settings.network.widestChannels
        let images = min(max(Self.passVolume / volume, 1), Self.largestPass)
        return max(images / windows.passes, 1)
    }
}

/// Reconstructs windows as published: noise, one pass at the fixed timestep, and of pDDPM's passes the noised patch.
///
/// `predict` maps images N x W x W x 1 at one timestep each to as many reconstructions, both in [-1, 1]; in [0, 1] for
/// f-AnoGAN, whose generator and encoder were trained on such images.
package struct WindowReconstructor {
    /// Images at one timestep each, and numbers to sample a VAE's latent vector from, to their reconstructions.
    package typealias Predict = (_ images: Variable, _ timesteps: [Int], _ latentNoise: Variable?) -> Variable

    let method: Method
    let settings: ReferenceSettings
    /// The noise fields, each window x window.
    let noise: WindowNoise
    let predict: Predict

    /// Gathers the parts.
    package init(
        method: Method,
        settings: ReferenceSettings,
        noise: WindowNoise,
        predict: @escaping Predict
    ) {
        (self.method, self.settings) = (method, settings)
        (self.noise, self.predict) = (noise, predict)
    }

    /// Passes of one window.
    var passes: Int { method == .fanogan ? 1 : settings.patches.count }

    /// The reconstructions of windows in [0, 1], row-major, one after another; nothing is clamped.
    ///
    /// `first` is the number of the first of them among the windows of its frame.
    func reconstruct(_ windows: [Float], from first: Int, noise: WindowNoise) -> [Float] {
        let size = settings.window * settings.window
        precondition(windows.count % size == 0, "\(windows.count) pixels are no windows of \(size)")
        guard method != .fanogan else { return passed(windows, latentNoise: nil) }
        let clean = windows.map { 2 * $0 - 1 }
        let patches = settings.patches
        let predicted = passed(
            noised(clean, patches: patches, from: first, noise: noise),
            latentNoise: noise.latents(windows: first..<first + windows.count / size)
        )
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
    private func noised(
        _ clean: [Float],
        patches: [[Range<Int>]],
        from first: Int,
        noise: WindowNoise
    ) -> [Float] {
        let size = settings.window * settings.window
        let schedule = DiffusionSchedule(count: settings.steps)
        var result: [Float] = []
        result.reserveCapacity(clean.count * patches.count)
        for start in stride(from: 0, to: clean.count, by: size) {
            let field = noise.field(window: first + start / size)
            for runs in patches {
                var image = Array(clean[start..<start + size])
                PatchedDiffusion.noise(
                    &image,
                    runs: runs,
                    field: field,
                    signalScale: schedule.signalScale[settings.timestep],
                    noiseScale: schedule.noiseScale[settings.timestep]
                )
                result += image
            }
        }
        return result
    }

    private func passed(_ images: [Float], latentNoise: Variable?) -> [Float] {
        let count = images.count / (settings.window * settings.window)
        let shape = [count, settings.window, settings.window, 1]
        return Recording.off {
            predict(
                Variable(constant: Tensor(images, shape: shape)),
                Array(repeating: settings.timestep, count: count),
                latentNoise
            ).value.values
        }
    }
}

/// How square windows slide over a frame, and how their results are blended.
///
/// Windows start every `interval` pixels and the last one is flush with the border. Where they overlap, each counts with a
/// Gaussian of its distance from the window's centre (sigma an eighth of the window), but at least with a thousandth of
/// what an exact hit would: MONAI's sliding-window inference, which the published system uses.
package struct SlidingWindows: Sendable, Equatable {
    /// Pixels per side of a window.
    package let window: Int
    /// Pixels from the start of one window to that of the next.
    package let interval: Int

    /// Windows that overlap by a share in [0, 1); the interval is at least 1 pixel.
    package init(window: Int, overlap: Double) {
        precondition(window > 0 && overlap >= 0 && overlap < 1, "windows of \(window) overlap by \(overlap)")
        self.window = window
        interval = max(Int(Double(window) * (1 - overlap)), 1)
    }

    /// Where windows start along an axis of some length; one window for what is shorter.
    package func starts(length: Int) -> [Int] {
        guard length > window else { return [0] }
        let last = length - window
        return Array(stride(from: 0, to: last, by: interval)) + [last]
    }

    /// The upper left corners of all windows of a frame, row by row.
    package func positions(height: Int, width: Int) -> [(row: Int, column: Int)] {
        let columns = starts(length: width)
        return starts(length: height).flatMap { row in columns.map { (row, $0) } }
    }

    /// What each pixel of a window counts for, window x window, row-major.
    package var importance: [Float] {
        let deviation = 0.125 * Float(window)
        let axis = (0..<window).map { index in
            let distance = Float(index) - Float(window - 1) / 2
            return exp(-distance * distance / (2 * deviation * deviation))
        }
        return axis.flatMap { row in axis.map { max(row * $0, Self.leastImportance) } }
    }

    private static let leastImportance: Float = 1e-3
}
