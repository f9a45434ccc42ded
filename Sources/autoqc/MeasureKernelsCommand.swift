import ArgumentParser
import Detection
import Diffusion
import Faults
import Foundation
import Frames
import Networks
import Plate
import Randomness
import Tensors
import Training
import Verdict

struct MeasureKernelsCommand: MeasureGroup {
    static let configuration = CommandConfiguration(
        commandName: "kernels",
        abstract: "Measure single convolutions in every precision, and the pixel loops of a frame.",
        discussion: """
            Convolutions have the shapes of the realtime network. They run on all threads, by the kernels of \
            this package or by oneDNN. Pixel loops run on one thread, as frames are judged side by side.

            Examples:
              autoqc measure kernels --quick
              autoqc measure kernels --threads 1 --json kernels.json
            """
    )

    @OptionGroup var options: MeasureOptions

    static func measure(into measurements: inout Measurements) async throws {
        try convolutions(into: &measurements)
        let frame = MeasuredFrames.faulty(measurements.options)
        try await MeasuredFrames.withFolder { folder in
            try files(frame, in: folder, into: &measurements)
        }
        try pixels(frame.frame, into: &measurements)
    }

    /// 3 x 3 at each of the network's resolutions.
    private static func convolutions(into measurements: inout Measurements) throws {
        let options = measurements.options
        let architecture = try options.architecture()
        for precision in Precision.allCases where precision.isSupported {
            for (level, channels) in architecture.channels.enumerated() {
                let scale = architecture.unshuffle << level
                let convolution = BareConvolution(
                    images: [1, options.height / scale, options.width / scale, channels],
                    weights: [channels, 3, 3, channels],
                    geometry: ConvolutionGeometry(stride: 1, padding: 1),
                    precision: precision
                )
                let speeds = convolution.seconds(options.count).map { convolution.operations / $0 / 1e9 }
                try measurements.add(
                    "\(precision.rawValue) \(convolution.name)",
                    speeds,
                    unit: convolution.unit
                )
            }
        }
    }

    private static func files(
        _ simulated: LabelledFrame,
        in folder: URL,
        into measurements: inout Measurements
    ) throws {
        let path = folder.appending(path: "frame.tiff").path
        try TIFFWriter.write(simulated.frame, to: path)
        try measurements.time("tiff decode") { _ = try TIFFReader(path: path).frame(page: 0) }
        let mask = folder.appending(path: "mask.tiff").path
        try measurements.time("tiff mask encode") { try TIFFWriter.write(simulated.mask, to: mask) }
    }

    /// The computations before and after the network.
    ///
    /// The noised image stands for the reconstruction.
    private static func pixels(_ frame: Frame, into measurements: inout Measurements) throws {
        guard let scale = Normalisation(sample: frame.pixels) else { return }
        let (height, width) = (frame.height, frame.width)
        let clean = scale.normalised(frame.pixels)
        try measurements.time("normalise") { _ = scale.normalised(frame.pixels) }
        let noisy = try noised(clean, height: height, width: width, into: &measurements)
        let (input, output) = (clean.map { 0.5 * ($0 + 1) }, noisy.map { 0.5 * ($0 + 1) })
        let residual = {
            Residual.l1DSSIM.map(input: input, reconstruction: output, height: height, width: width)
        }
        let raw = residual()
        try measurements.time("residual map") { _ = residual() }
        let map = raw.medianFiltered()
        try measurements.time("median") { _ = raw.medianFiltered() }
        let averaged = map.windowMean(window)
        try measurements.time("window mean") { _ = map.windowMean(window) }
        try measurements.time("scores") { _ = ImageScores(map: map) }
        try tiles(frame, map, scale, into: &measurements)
        let threshold = Double(averaged.values.sorted()[averaged.values.count * 99 / 100])
        let filter = Calibration.smallComponents(window: window)
        try measurements.time("mask") { _ = filter.mask(of: averaged, above: threshold) }
    }

    /// What the tiles of a frame add.
    private static func tiles(
        _ frame: Frame,
        _ map: ScoreMap,
        _ scale: Normalisation,
        into measurements: inout Measurements
    ) throws {
        guard let figures = TileFigures(frame: frame, map: map, background: scale.background) else { return }
        let normal = NormalTiles(fittedTo: [figures], background: scale.background)
        try measurements.time("tiles") {
            if let figures = normal.figures(of: frame, map: map) { _ = normal.evidence(of: figures) }
        }
    }

    /// Side of the window that masks are averaged over, as `calibrate` has it.
    private static let window = Calibrator.Options().maskWindow

    /// The image with the patches of one phase noised.
    private static func noised(
        _ image: [Float],
        height: Int,
        width: Int,
        into measurements: inout Measurements
    ) throws -> [Float] {
        let diffusion = MeasuredFrames.diffusion
        var random = SplitMix64(state: diffusion.noiseSeed)
        let field = diffusion.noise.field(height: height, width: width, using: &random)
        let schedule = DiffusionSchedule(count: diffusion.steps)
        var noisy = image
        try measurements.time("noise of a phase") {
            noisy = image
            PatchedDiffusion.noise(
                &noisy,
                runs: diffusion.phases.noisedRuns(height: height, width: width, phase: 0),
                field: field,
                signalScale: schedule.signalScale[diffusion.timestep],
                noiseScale: schedule.noiseScale[diffusion.timestep]
            )
        }
        return noisy
    }
}
