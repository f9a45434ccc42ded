import ArgumentParser
import Detection
import Diffusion
import Foundation
import Plate
import Tensors
import Verdict

/// Options of `autoqc score` that meet published numbers: scores and maps without a verdict.
struct PublishedScoringOptions: ParsableArguments {
    @Flag(
        help: "Scale every frame by the grey range of the first one, as the published system does."
    )
    var publishedScaling = false
    @Flag(help: "Round noise to half precision, as the published system does.")
    var halfPrecisionNoise = false
    @Flag(help: "Draw a noise field for each window, as the published system does.")
    var noisePerWindow = false
    @Flag(
        help: "Draw a VAE's latent vector for each window, as the published system does, instead of its mean."
    )
    var sampleLatent = false
    @Option(
        help: ArgumentHelp(
            "Reconstruct each frame with N noise seeds: mean scores and maps, and the scores' standard deviation.",
            valueName: "N"
        ),
        transform: NumberOption.within(1...1000)
    )
    var noiseSeeds: Int?

    /// The options that were given.
    var given: [String] {
        let all: [(String, Bool)] = [
            ("--published-scaling", publishedScaling), ("--half-precision-noise", halfPrecisionNoise),
            ("--noise-per-window", noisePerWindow), ("--sample-latent", sampleLatent),
            ("--noise-seeds", noiseSeeds != nil),
        ]
        return all.filter(\.1).map(\.0)
    }
}

/// The published scores of frames without a verdict: of a model without thresholds, or in another way than its thresholds
/// were found in.
final class UnjudgedScores {
    /// The scores of a frame, and its map.
    struct Result {
        /// The mean over the noise seeds.
        let scores: ImageScores
        /// The standard deviation over the noise seeds (n - 1); `nil` for one seed.
        let spread: ImageScores?
        /// The mean over the noise seeds.
        let map: ScoreMap
    }

    /// The model's name in every record.
    let modelName: String
    private let scorer: FrameScorer
    private let settings: ReferenceSettings?
    private let options: PublishedScoringOptions
    private var range: ClosedRange<Float>?

    /// Takes a model that was read; `path` is for messages.
    init(
        _ model: Model,
        name: String,
        path: String,
        precision: Precision?,
        options: PublishedScoringOptions
    ) throws {
        (modelName, settings) = (name, model.description.reference)
        guard settings != nil || options.given.isEmpty else {
            throw ValidationError(
                "\(options.given.joined(separator: ", ")): for models of the reference profile only"
            )
        }
        guard !options.sampleLatent || settings?.network.sampledLatent != nil else {
            throw ValidationError("--sample-latent: \(path) has no latent vector to draw; it is no VAE")
        }
        self.options = options
        let precision = precision ?? model.description.automaticPrecision
        scorer = try FrameScorer(model: model, path: path, precision: precision)
    }

    /// Scores a frame; `report` hears how far the passes over it are.
    func score(_ frame: Frame, report: (ReconstructionProgress) -> Void) -> Result {
        guard let settings else {
            let map = scorer.map(of: frame, report: report)
            return Result(scores: ImageScores(map: map), spread: nil, map: map)
        }
        if options.publishedScaling, range == nil { range = settings.greyRange(of: frame) }
        let seeds = options.noiseSeeds ?? 1
        let start = ContinuousClock.now
        var all: [ImageScores] = []
        var sum = [Double](repeating: 0, count: frame.pixels.count)
        for number in 0..<seeds {
            var variant = ReferenceVariant()
            (variant.range, variant.halvesNoise) = (range, options.halfPrecisionNoise)
            variant.drawsNoisePerWindow = options.noisePerWindow
            variant.samplesLatent = options.sampleLatent
            if number > 0 { variant.noiseSeed = settings.noiseSeed &+ UInt64(number) }
            let reconstruction = scorer.reconstruction(of: frame, variant: variant) { progress in
                let (done, passes) = (number * progress.all + progress.done, seeds * progress.all)
                let seconds = (ContinuousClock.now - start) / .seconds(1)
                let left = seconds / Double(max(done, 1)) * Double(passes - done)
                report(ReconstructionProgress(done: done, all: passes, secondsLeft: left))
            }
            let map = scorer.map(of: reconstruction)
            guard seeds > 1 else { return Result(scores: ImageScores(map: map), spread: nil, map: map) }
            all.append(ImageScores(map: map))
            for index in sum.indices { sum[index] += Double(map.values[index]) }
        }
        let values = sum.map { Float($0 / Double(seeds)) }
        return Result(
            scores: ImageScores(all, by: { $0.reduce(0, +) / Double($0.count) }),
            spread: ImageScores(all, by: Self.deviation),
            map: ScoreMap(height: frame.height, width: frame.width, values: values)
        )
    }

    private static func deviation(_ values: [Double]) -> Double {
        let mean = values.reduce(0, +) / Double(values.count)
        let squares = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
        return (squares / Double(values.count - 1)).squareRoot()
    }
}

extension ImageScores {
    /// A figure of each of the three scores over several reconstructions.
    fileprivate init(_ all: [ImageScores], by figure: ([Double]) -> Double) {
        self.init(
            maximum: figure(all.map(\.maximum)),
            mean: figure(all.map(\.mean)),
            patch: figure(all.map(\.patch))
        )
    }
}
