import Plate

/// Reconstructs whole frames by sliding windows, as published.
final class ReferenceReconstructor: Reconstructor {
    private let settings: ReferenceSettings
    private let sliding: SlidingWindows
    private let windows: WindowReconstructor
    private let importance: [Float]

    /// Activations of this many pixels and channels fit in one pass: two windows of pDDPM at the published size.
    private static let passVolume = 8 * 192 * 192 * 128
    /// More images than this in a pass gain no speed.
    private static let largestPass = 64

    init(settings: ReferenceSettings, windows: WindowReconstructor) {
        self.settings = settings
        self.windows = windows
        sliding = SlidingWindows(window: settings.window, overlap: settings.overlap)
        importance = sliding.importance
    }

    func passes(height: Int, width: Int) -> Int {
        sliding.starts(length: height).count * sliding.starts(length: width).count * windows.passes
    }

    func reconstruction(of frame: Frame, report: (ReconstructionProgress) -> Void) -> Reconstruction {
        let image = settings.preprocessed(frame)
        return Reconstruction(
            input: image.pixels,
            output: reconstruct(image, report: report).pixels,
            height: frame.height,
            width: frame.width
        )
    }

    /// The reconstruction of an image in [0, 1]; one smaller than the window is surrounded by zeros.
    func reconstruct(_ image: Frame, report: (ReconstructionProgress) -> Void) -> Frame {
        let (rows, columns) = (max(image.height, settings.window), max(image.width, settings.window))
        let (top, left) = ((rows - image.height) / 2, (columns - image.width) / 2)
        let padded =
            top + left > 0 || rows > image.height || columns > image.width
            ? image.window(row: -top, column: -left, height: rows, width: columns) : image
        let blended = blend(padded, report: report)
        guard padded != image else { return blended }
        return blended.window(row: top, column: left, height: image.height, width: image.width)
    }

    private func blend(_ image: Frame, report: (ReconstructionProgress) -> Void) -> Frame {
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
            let reconstructed = windows.reconstruct(pixels)
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
