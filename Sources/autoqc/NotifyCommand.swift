import ArgumentParser
import Foundation
import Logging
import Monitoring
import Notifying
import Reporting
import Systemd

struct NotifyCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "notify",
        abstract: "Send events to people and programs by webhook, mail, MQTT or a command.",
        discussion: """
            `autoqc watch` records events, and this command sends them to the receivers of `notify.targets` \
            in the configuration. It tries again for as long as a receiver cannot be reached. Stop and start \
            it at any time: no event is lost, and a repeated message has the same id. The service is \
            autoqc-notify@NAME.

            Examples:
              autoqc notify --config /etc/autoqc/plate.yaml --test
              autoqc notify --config /etc/autoqc/plate.yaml
            """
    )

    @Option(
        help: ArgumentHelp("Configuration file, the same as that of `watch`.", valueName: "FILE"),
        completion: .file()
    )
    var config: String
    @Flag(help: "Send a test message to each receiver now, say what became of it, and exit; 1 if one fails.")
    var test = false
    @Argument(help: ArgumentHelp("Names of receivers; all where none is given.", valueName: "NAME"))
    var receivers: [String] = []

    func run() async throws {
        let (configuration, targets) = try load()
        if test { return try sendTests(to: targets, configuration) }
        // A program that does not read its input must not end this one.
        _ = signal(SIGPIPE, SIG_IGN)
        let stopRequests = ProcessSignals.stream(of: [SIGTERM, SIGINT])
        ServiceLogging.bootstrap(level: configuration.logLevel)
        defer { ServiceLogging.flush() }
        do {
            try await NotificationService(
                tree: configuration.output,
                targets: targets,
                limit: configuration.notifyLimit,
                keep: configuration.notifyKeep,
                logger: Logger(label: "autoqc.notify")
            ).run(stopRequests: stopRequests)
        } catch {
            ServiceLogging.say("Error: \(error)")
            throw ExitCode.failure
        }
    }

    private func load() throws -> (Configuration, [NotificationTarget]) {
        do {
            let configuration = try Configuration.load(path: config)
            let all = configuration.notifyTargets
            if let stranger = receivers.first(where: { name in !all.contains { $0.name == name } }) {
                throw ValidationError("\(config) has no receiver \(stranger) in `notify.targets`")
            }
            guard !all.isEmpty else {
                throw ConfigurationError(
                    key: "notify.targets",
                    problem: "there are no receivers to send to",
                    remedy: "name a receiver, as docs/admin.md shows"
                )
            }
            return (configuration, all.filter { receivers.isEmpty || receivers.contains($0.name) })
        } catch let error as ConfigurationError {
            Terminal.note("Error: \(error)")
            throw ExitCode(ExitStatus.configuration)
        }
    }

    private func sendTests(to targets: [NotificationTarget], _ configuration: Configuration) throws {
        var hasFailed = false
        for target in targets {
            let failure = NotificationTest.send(to: target, of: configuration.output)
            try Terminal.say(failure.map { "fail  \(target.name): \($0)" } ?? "ok    \(target.name)")
            hasFailed = hasFailed || failure != nil
        }
        if hasFailed { throw ExitCode.failure }
    }
}
