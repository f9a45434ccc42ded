import ArgumentParser
import Detection
import Foundation
import Logging
import Monitoring
import Plate
import Reporting
import Systemd
import Tables
import Tensors

extension ArgumentHelp {
    /// The help of an option for a key of the configuration.
    fileprivate static func key<Value>(
        _ key: KeyPath<ConfigurationTable, ConfigurationKey<Value>>,
        valueName: String
    ) -> ArgumentHelp {
        ArgumentHelp(Configuration.table[keyPath: key].help, valueName: valueName)
    }
}

/// What `watch`, `validate` and `doctor` take: a file, or the same keys on the command line.
struct ConfigurationOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Configuration file; what is given on the command line comes first.",
            valueName: "FILE"
        ),
        completion: .file()
    )
    var config: String?
    @Option(help: .key(\.model, valueName: "FILE"), completion: .file())
    var model: String?
    @Option(help: .key(\.output, valueName: "DIR"), completion: .directory)
    var out: String?
    @Option(help: .key(\.pattern, valueName: "PATTERN"))
    var pattern: String?
    @Option(help: .key(\.channel, valueName: "NAME"))
    var channel: String?
    @Option(help: .key(\.plane, valueName: "PLANE"))
    var plane: PlaneChoice.Plane?
    @Option(help: .key(\.learn, valueName: "N"))
    var learn: Int?
    @Flag(help: ArgumentHelp(Configuration.table.onlyNew.sentence))
    var onlyNew = false
    @Option(help: .key(\.threads, valueName: "N"))
    var threads: Int?
    @Option(help: ArgumentHelp(Configuration.table.precision.sentence, valueName: "NAME"))
    var precision: Precision.Choice?
    @Option(help: .key(\.logLevel, valueName: "LEVEL"), transform: Self.level)
    var logLevel: Logger.Level?
    @Option(help: .key(\.webListen, valueName: "ADDRESS"))
    var listen: String?
    @Argument(help: .key(\.watch, valueName: "DIR"), completion: .directory)
    var folders: [String] = []

    /// Reads the file, if any, and puts the command line over it.
    func load(checking checks: Configuration.FileChecks) throws -> Configuration {
        // Not before: a misspelt option is to be named as such.
        guard config != nil || model != nil && out != nil && !folders.isEmpty else {
            throw ValidationError("give --config FILE, or --model MODEL --out OUT and the folders to watch")
        }
        var settings = ConfigurationSettings()
        settings.model = model
        settings.output = out
        settings.watch = folders.isEmpty ? nil : folders
        settings.pattern = pattern
        settings.channel = channel
        settings.plane = plane
        settings.learn = learn
        settings.onlyNew = onlyNew ? true : nil
        settings.threads = threads
        settings.precision = precision?.rawValue
        settings.logLevel = logLevel
        settings.webListen = listen
        return try Configuration.load(path: config, overrides: settings, checking: checks)
    }

    @Sendable static func level(_ name: String) throws -> Logger.Level {
        guard let level = Logger.Level(rawValue: name) else {
            let names = Logger.Level.allCases.map(\.rawValue).joined(separator: ", ")
            throw ValidationError("write one of \(names)")
        }
        return level
    }
}

struct WatchCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "watch",
        abstract: "Watch folders and judge every frame that arrives.",
        discussion: """
            Runs until SIGTERM or SIGINT: it finishes the waiting frames and exits with 0. SIGHUP reads the \
            configuration again. A wrong configuration is not taken over. A killed daemon goes on where it \
            was, and judges no frame twice. Every hour it puts faults on copies of live frames and checks \
            that it finds them; see OUT/canary.log, and `canary` in the configuration.

            Examples:
              autoqc watch --config /etc/autoqc/plate.yaml
              autoqc watch --model complexeye.safetensors --out /srv/autoqc \\
                  --listen 127.0.0.1:8764 /data/complexeye
              autoqc watch --once --model complexeye.safetensors --out /srv/autoqc \\
                  /data/complexeye
            """
    )

    @OptionGroup var options: ConfigurationOptions
    @Flag(help: "Judge what is there, then exit.")
    var once = false
    @Option(
        help: ArgumentHelp(
            "Write the state of the daemon to FILE once a second, and leave the page to `autoqc view --status FILE`.",
            valueName: "FILE"
        ),
        completion: .file()
    )
    var status: String?

    func run() async throws {
        do {
            try await watch()
        } catch let error as ValidationError {
            throw error
        } catch {
            // A reader of standard error that does not read must not keep the process from its end.
            ServiceLogging.say("Error: \(error)")
            ServiceLogging.flush()
            throw ExitCode(isWrong ? ExitStatus.configuration : EXIT_FAILURE)
        }
        ServiceLogging.flush()
    }

    /// Whether the configuration is wrong whatever files there are: a model may come with a file system that is mounted later.
    private var isWrong: Bool { (try? options.load(checking: .nothing)) == nil }

    private func watch() async throws {
        let options = options
        // First of all: loading the model takes seconds, in which a SIGHUP must not end the daemon.
        let reloadRequests = ProcessSignals.stream(of: [SIGHUP])
        // A reader of the log may end; judging goes on.
        _ = signal(SIGPIPE, SIG_IGN)
        let configuration = try options.load(checking: .model)
        ServiceLogging.bootstrap(level: configuration.logLevel)
        let logger = Logger(label: "autoqc")
        let judge = try Self.judge(configuration, logger)
        let reload: Monitor.Reload = {
            let configuration = try options.load(checking: .model)
            return (configuration: configuration, judge: try Self.judge(configuration, logger))
        }
        logger.info(
            "The model is loaded",
            metadata: ["model": "\(judge.model)", "precision": "\(judge.precisionName)"]
        )
        let monitor = Monitor(
            configuration: configuration,
            judge: judge,
            logger: logger,
            reloadRequests: reloadRequests,
            reload: options.config == nil ? nil : reload
        )
        let page =
            try status == nil ? configuration.web.map { try PageProcess($0, configuration, logger) } : nil
        page?.start()
        defer { page?.stop() }
        let reporter = (status.map { StatusFile(path: $0) } ?? page?.status).map {
            StatusReporter($0, logger: logger) { monitor.figures }
        }
        defer { reporter?.stop() }
        let summary = try await monitor.run(until: once ? .listedAndDrained : .stopped)
        ServiceLogging.say(Self.sentence(summary))
    }

    /// The detector of a model that keeps up with a plate; with `learn` it calibrates itself on each run.
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
        let behind = [(counts.halves, "by half of their patches"), (counts.deferred, "deferred")]
            .filter { $0.0 > 0 }.map { "\($0.0) \($0.1)" }
        let how = behind.isEmpty ? "" : " (\(behind.joined(separator: ", ")))"
        return "\(counts.seen) frames seen, \(counts.judged) scored\(how), \(counts.flagged) flagged, "
            + "\(counts.quarantined) quarantined, \(counts.skipped) skipped, \(counts.known) known before; "
            + "\(summary.framesPerSecond.digits(2)) frames/s, latency median \(latency[0]), 99 % within \(latency[1])"
    }
}

struct ValidateCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "validate",
        abstract: "Check a configuration. Exit with 0 if `watch` would start with it.",
        discussion: """
            All mistakes are listed, not only the first.

            Examples:
              autoqc validate --config /etc/autoqc/plate.yaml
              autoqc validate --example > plate.yaml
            """
    )

    @OptionGroup var options: ConfigurationOptions
    @Flag(help: "Print a commented configuration with every key and its default instead.")
    var example = false
    @Flag(help: "Print all keys as a table in Markdown instead.")
    var keys = false

    func run() throws {
        guard !example else { return try Terminal.say(Configuration.table.example) }
        guard !keys else { return try Terminal.say(Configuration.table.page) }
        let configuration = try options.load(checking: .everything)
        let judge = try WatchCommand.judge(configuration, Logger(label: "autoqc"))
        let count = configuration.watch.count
        Terminal.note(
            "model \(judge.model) in \(judge.precisionName), \(count) folder\(count == 1 ? "" : "s") to watch: fine"
        )
        // The page is no part of judging: what is wrong with it is said, and `watch` starts.
        for problem in configuration.pageDiagnoses(file: options.config) where problem.level != .fine {
            Terminal.note("\(problem.subject): \(problem.finding); \(problem.remedy ?? "")")
        }
    }
}
