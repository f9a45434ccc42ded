import ArgumentParser
import Detection
import Faults
import Foundation
import Frames
import Ledger
import Logging
import Monitoring
import Plate
import Reporting
import Tensors

struct MeasurePipelineCommand: MeasureGroup {
    static let configuration = CommandConfiguration(
        commandName: "pipeline",
        abstract: "Measure the stages of one frame, and whole frames from folder to ledger.",
        discussion: """
            Stages run on one core, whole frames on all cores. The frames are simulated, in a temporary \
            folder (TMPDIR), whose disk counts. --model is needed: a calibrated model. The latency counts \
            from the listing of the folder.

            Examples:
              autoqc measure pipeline --model complexeye.safetensors --quick
              autoqc measure pipeline --model complexeye.safetensors --json figures.json
            """
    )

    @OptionGroup var options: MeasureOptions

    static func measure(into measurements: inout Measurements) async throws {
        let options = measurements.options
        guard let path = options.model else {
            Terminal.note(
                "the pipeline is left out: it judges with a calibrated model; name one with --model"
            )
            return
        }
        let detector = try Detector(path: path, precision: options.precision)
        try detector.description.requireRealtime(path: path)
        try await MeasuredFrames.withFolder { folder in
            try stages(detector, in: folder, into: &measurements)
        }
        let done = try await MeasuredFrames.withFolder { folder in
            try await summary(detector, path, in: folder, options)
        }
        try report(done, into: &measurements)
    }

    private static func stages(
        _ detector: Detector,
        in folder: URL,
        into measurements: inout Measurements
    ) throws {
        let path = try MeasuredFrames.write(1, to: folder, measurements.options)[0]
        let frame = try TIFFReader(path: path).frame(page: 0)
        try measurements.time("pipeline read") { _ = try TIFFReader(path: path).frame(page: 0) }
        var shares: [Double] = []
        var judgement = detector.judge(frame)
        let seconds = Measurements.seconds(measurements.count) {
            let start = ContinuousClock.now
            let judged = KernelTimes.of { detector.judge(frame) }
            let total = (ContinuousClock.now - start) / .seconds(1)
            judgement = judged.result
            shares.append(100 * judged.times.seconds() / total)
        }
        try measurements.add("pipeline judge", seconds.map { 1000 * $0 }, unit: "ms")
        try measurements.add("pipeline network of judge", Array(shares.dropFirst()), unit: "%")
        try writes(judgement, detector, in: folder, into: &measurements)
    }

    private static func writes(
        _ judgement: Judgement,
        _ detector: Detector,
        in folder: URL,
        into measurements: inout Measurements
    ) throws {
        let tree = OutputTree(root: folder.appending(path: "results").path)
        try tree.prepare()
        let sidecars = Sidecars(tree: tree, writeMask: Sidecars.writeTIFF)
        let mask = MeasuredFrames.faulty(measurements.options).mask
        try measurements.time("pipeline sidecar write") {
            try sidecars.write(
                mask,
                pixelSize: nil,
                run: "01",
                name: "01_A1_f0",
                regionsOf: RegionVerdict(.unknown, severity: 9, score: 0.1)
            )
        }
        let ledger = try FrameLedger(path: tree.ledger)
        var index = 0
        try measurements.time("pipeline ledger write") {
            index += 1
            try ledger.record([try record(judgement, detector, index: index)])
        }
        try ledger.close()
    }

    private static func record(
        _ judgement: Judgement,
        _ detector: Detector,
        index: Int
    ) throws -> FrameRecord {
        var judgement = judgement
        judgement.pictures = nil
        judgement.wellIsFaulty = false
        judgement.precision = detector.precisionName
        return FrameRecord(
            source: FrameSource(root: "/", path: "01_A1_f\(index).tiff"),
            frame: Well("A1").map { FrameID(run: "01", well: $0, index: index) },
            outcome: .judged(judgement),
            model: detector.modelName,
            completed: Timestamp(nanoseconds: 0),
            judged: Timestamp(nanoseconds: 0)
        )
    }

    /// Frames through the daemon itself, as `watch --once` runs it.
    private static func summary(
        _ detector: Detector,
        _ model: String,
        in folder: URL,
        _ options: MeasureOptions
    ) async throws -> MonitorSummary {
        let plate = folder.appending(path: "plate")
        try FileManager.default.createDirectory(at: plate, withIntermediateDirectories: true)
        _ = try MeasuredFrames.write(options.quick ? 4 : max(24, 4 * options.count), to: plate, options)
        var settings = ConfigurationSettings()
        settings.model = URL(filePath: model).standardizedFileURL.path
        settings.output = folder.appending(path: "results").path
        settings.watch = [plate.path]
        settings.threads = options.threads
        settings.precision = detector.precisionName
        let monitor = Monitor(
            configuration: try Configuration(settings),
            judge: detector,
            logger: Logger(label: "autoqc.measure") { _ in SwiftLogNoOpLogHandler() }
        )
        return try await monitor.run(until: .listedAndDrained)
    }

    private static func report(_ summary: MonitorSummary, into measurements: inout Measurements) throws {
        try measurements.add("pipeline frames", [Double(summary.counts.judged)], unit: "frames")
        try measurements.add("pipeline rate", [summary.framesPerSecond], unit: "frames/s")
        for (name, latency) in [("median", summary.medianLatency), ("99 %", summary.latency99)] {
            guard let latency else { continue }
            try measurements.add("pipeline latency \(name)", [latency / .seconds(1)], unit: "s")
        }
        if let peak = Measurements.peakMemory() {
            try measurements.add("pipeline peak memory", [peak], unit: "MiB")
        }
    }
}
