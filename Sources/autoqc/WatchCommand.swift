import ArgumentParser
import Dashboard
import Detection
import Foundation
import Logging
import Monitoring
import Systemd
import Tables
import Tensors

/// What `watch` and `validate` take alike: a file, or the same settings on the command line.
struct ConfigurationOptions: ParsableArguments {
    @Option(help: "Configuration file; what is given on the command line comes first.")
    var config: String?
    @Option(help: "The calibrated model.")
    var model: String?
    @Option(help: "Where ledger, alarm logs and masks go.")
    var out: String?
    @Option(help: "How file names tell run, well and frame.")
    var pattern: String?
    @Option(
        help:
            "Learn from the first frames of each well, so many, what is normal in their run (default: 0, not)."
    )
    var learn: Int?
    @Flag(help: "Leave alone the frames that are there at the start.")
    var onlyNew = false
    @Option(help: "Threads that judge, each a frame at a time (default: one for every core).")
    var threads: Int?
    @Option(help: ArgumentHelp(Precision.help))
    var precision: Precision.Choice?
    @Option(help: "trace, debug, info, notice, warning, error or critical.")
    var logLevel: String?
    @Option(help: "Serve the live page here, for example 127.0.0.1:8764.")
    var listen: String?
    @Argument(help: "Folders to watch.")
    var folders: [String] = []

    /// Reads the file, if any, and puts the command line over it.
    func load() throws -> Configuration {
        // Not before: a misspelt option is to be named as such.
        guard config != nil || model != nil && out != nil && !folders.isEmpty else {
            throw ValidationError("give --config FILE, or --model MODEL --out OUT and the folders to watch")
        }
        var settings = ConfigurationSettings()
        settings.model = model.map(Self.absolute)
        settings.output = out.map(Self.absolute)
        settings.watch = folders.isEmpty ? nil : folders.map(Self.absolute)
        settings.pattern = pattern
        settings.learn = try learn.map(Self.checkedLearn)
        settings.onlyNew = onlyNew ? true : nil
        settings.threads = threads
        settings.precision = precision?.rawValue
        settings.logLevel = logLevel
        settings.webListen = listen
        let configuration = try config.map { try Configuration.load(path: $0, overrides: settings) }
        return try configuration ?? Configuration(settings)
    }

    private static func checkedLearn(_ frames: Int) throws -> Int {
        guard (0...1000).contains(frames) else { throw ValidationError("--learn is 0 to 1000") }
        return frames
    }

    private static func absolute(_ path: String) -> String {
        URL(filePath: path).standardizedFileURL.path
    }
}

/// `autoqc watch`.
struct WatchCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "watch",
        abstract: "Watch folders and judge every frame that arrives.",
        discussion: """
            SIGTERM and SIGINT take no more files, finish the queue and exit 0. SIGHUP reads the configuration again and \
            keeps the old one if the new one is wrong. What was judged stays judged: start again at any time. Every hour \
            faults on copies of live frames prove that they are found (OUT/canary.log; `canary` in the configuration).
            """
    )

    @OptionGroup var options: ConfigurationOptions
    @Flag(help: "Judge what is there, then exit.")
    var once = false

    func run() async throws {
        let options = options
        // First of all: loading the model takes seconds, in which a SIGHUP must not end the daemon.
        let reloadRequests = ProcessSignals.stream(of: [SIGHUP])
        // Whoever reads the log may go; judging goes on.
        _ = signal(SIGPIPE, SIG_IGN)
        let configuration = try options.load()
        let level = Logger.Level(rawValue: configuration.logLevel) ?? .info
        ServiceLogging.bootstrap(level: level)
        let logger = Logger(label: "autoqc")
        let (configured, judge) = try Self.prepare(configuration, logger)
        let reload: Monitor.Reload = {
            let (configuration, judge) = try Self.prepare(try options.load(), logger)
            return (configuration: configuration, judge: judge)
        }
        logger.info(
            "The model is loaded",
            metadata: ["model": "\(judge.model)", "precision": "\(judge.precisionName)"]
        )
        let monitor = Monitor(
            configuration: configured,
            judge: judge,
            logger: logger,
            reloadRequests: reloadRequests,
            reload: options.config == nil ? nil : reload,
            companions: { ledger, figures in
                guard let web = configured.web else { return [] }
                return [
                    DashboardService(
                        settings: web,
                        ledger: ledger,
                        tree: configured.output,
                        rules: configured.plateRules,
                        logger: logger,
                        figures: figures
                    )
                ]
            },
            faultyCopy: { CanaryFault.copy(of: $0, cause: $1, seed: $2) }
        )
        let summary = try await monitor.run(until: once ? .listedAndDrained : .stopped)
        Terminal.note(Self.sentence(summary))
    }

    private static func prepare(
        _ configuration: Configuration,
        _ logger: Logger
    ) throws -> (Configuration, any FrameJudge) {
        try configuration.check()
        return (configuration, try judge(configuration, logger))
    }

    /// The detector of a model that keeps up with a plate, and learns from each run where that is asked for.
    static func judge(_ configuration: Configuration, _ logger: Logger) throws -> any FrameJudge {
        let path = configuration.model
        let (model, name) = try Model.read(path: path)
        // Before it is asked for thresholds, which would not help.
        try model.description.requireRealtime(path: path)
        let precision = Precision(rawValue: configuration.precision)
        guard configuration.learn > 0 else {
            return try Detector(model: model, name: name, path: path, precision: precision)
        }
        return try RunDetector(
            model: model,
            name: name,
            path: path,
            precision: precision,
            framesPerWell: configuration.learn,
            surroundings: .daemon(configuration.output, logger)
        )
    }

    private static func sentence(_ summary: MonitorSummary) -> String {
        let counts = summary.counts
        let latency = [summary.medianLatency, summary.latency99].map {
            $0.map { "\(($0 / .seconds(1)).digits(2)) s" } ?? "none"
        }
        let isBehind = counts.reduced + counts.deferred > 0
        let tiers = isBehind ? " (\(counts.reduced) reduced, \(counts.deferred) deferred)" : ""
        return "\(counts.seen) frames seen, \(counts.scored) scored\(tiers), \(counts.flagged) flagged, "
            + "\(counts.quarantined) quarantined, \(counts.skipped) skipped, \(counts.known) known before; "
            + "\(summary.framesPerSecond.digits(2)) frames/s, latency median \(latency[0]), 99 % within \(latency[1])"
    }
}

/// `autoqc validate`.
struct ValidateCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "validate",
        abstract: "Check a configuration, its folders and its model; exit 0 if `watch` would start."
    )

    @OptionGroup var options: ConfigurationOptions

    func run() throws {
        let configuration = try options.load()
        try configuration.check()
        let judge = try WatchCommand.judge(configuration, Logger(label: "autoqc"))
        Terminal.note(
            "model \(judge.model) in \(judge.precisionName), \(configuration.watch.count) folder\(configuration.watch.count == 1 ? "" : "s") to watch: fine"
        )
    }
}
