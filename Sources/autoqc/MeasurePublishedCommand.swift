import ArgumentParser
import Diffusion
import Networks
import Training

struct MeasurePublishedCommand: MeasureGroup {
    static let configuration = CommandConfiguration(
        commandName: "published",
        abstract: "Measure training steps of the published pDDPM: time, memory, whole training.",
        discussion: """
            A step takes 8 crops of 192 x 192 pixels through the network of 128 channels. It takes half a \
            minute or more on two cores, so `all` leaves it out; --batch 2 is enough to compare. `processor \
            time` is the work of all threads. `300 epochs` is the time of the published training at this \
            speed: 300 times 8233 frames. Benchmarks/pytorch compares a step with PyTorch.

            Example:
              autoqc measure published --batch 2 --quick
            """
    )

    @OptionGroup var options: MeasureOptions

    /// Frames of the published training set.
    private static let frames = 8233
    private static let secondsPerDay = 86_400.0

    static func measure(into measurements: inout Measurements) async throws {
        let options = measurements.options
        var settings = ReferenceSettings(published: .pddpm)
        if options.quick {
            var size = UNetConfiguration()
            (size.channels, size.residualBlocks, size.headChannels) = (32, 1, 32)
            settings.network = .unet(size)
            (settings.window, settings.patch) = (48, 24)
        }
        let training = ReferenceTraining(
            method: .pddpm,
            settings: settings,
            frames: frames,
            batch: options.trainingBatch
        )
        let steps = try await MeasuredFrames.withFolder { folder in
            let frames = try FrameSet(paths: try MeasuredFrames.write(10, to: folder, options))
            let trainer = try Trainer(reference: training, frames: frames)
            return try MeasureTrainingCommand.steps(of: trainer, count: options.count)
        }
        let seconds = steps.map(\.wall)
        try measurements.add("published step", steps)
        try measurements.add(
            "published step crops",
            seconds.map { Double(training.batch) / $0 },
            unit: "crops/s"
        )
        let days = seconds.map { $0 * Double(training.steps) / secondsPerDay }
        try measurements.add("published \(ReferenceTraining.epochs) epochs", days, unit: "days")
        if let peak = Measurements.peakMemory() {
            try measurements.add("published peak memory", [peak], unit: "MiB")
        }
    }
}
