import ArgumentParser
import Dashboard
import Foundation
import Logging
import Monitoring
import Plate
package import Reporting
import Rules
import ServiceLifecycle
import Systemd

struct ViewCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "view",
        abstract: "Serve the live page of an output folder: plate, wells, flagged frames.",
        discussion: """
            It works with and without a running daemon, until Ctrl-C. It writes one file: the decisions of \
            reviewers (OUT/decisions.jsonl). The service is autoqc-page@NAME. A `watch` that was started by \
            hand with --listen starts it.

            Examples:
              autoqc view /srv/autoqc
              autoqc view /srv/autoqc --listen 127.0.0.1:9000 --as "A. Microscopist"
            """
    )

    /// The token among the credentials of the page's unit.
    static func credential(in folder: String) -> String { "\(folder)/web.token" }

    /// How the daemon is that started this process by itself.
    static func status(in folder: String) -> StatusFile { StatusFile(path: "\(folder)/status.json") }

    @Argument(
        help: ArgumentHelp("The output folder of `autoqc watch`.", valueName: "DIR"),
        completion: .directory
    )
    var out: String?
    @Option(
        help: ArgumentHelp(
            "Configuration of `autoqc watch`: output, `web` and `lenses` come from it.",
            valueName: "FILE"
        ),
        completion: .file()
    )
    var config: String?
    @Option(
        help: ArgumentHelp(
            "Address of the page (default: \(WebSettings.standardAddress)).",
            valueName: "ADDRESS"
        )
    )
    var listen: String?
    @Option(
        help: ArgumentHelp(
            "Secret that a browser must send, at least 16 characters. Required if other machines reach the page.",
            valueName: "TEXT"
        )
    )
    var token: String?
    @Option(
        help: ArgumentHelp(
            "Wells of the plate, one of auto, 96, 384, 1536 (default: auto).",
            valueName: "ROWSxCOLUMNS"
        )
    )
    var plate: WebSettings.PlateFormat?
    @OptionGroup var lenses: LensOptions
    @Option(
        help: ArgumentHelp(
            "File in which the daemon says how it is: that of `watch --status`.",
            valueName: "FILE"
        ),
        completion: .file()
    )
    var status: String?
    @Option(
        name: .customLong("as"),
        help: ArgumentHelp(
            "Who decides here, unless they give another name on the page (default, started by hand: your login name).",
            valueName: "NAME"
        )
    )
    var reviewer: String?
    @Flag(help: "Make no decisions, and leave the folder as it is.")
    var readOnly = false
    @Option(help: .hidden, transform: ConfigurationOptions.level)
    var logLevel: Logger.Level?
    /// The daemon's own folder, which goes with this process.
    @Option(help: .hidden, completion: .file())
    var beside: String?

    /// What is to be served.
    private struct Subject {
        var tree: OutputTree
        var web: WebSettings
        var rules: PlateRules
        var logLevel: Logger.Level
    }

    func run() async throws {
        let subject: Subject
        do {
            guard let found = try self.subject() else {
                return Terminal.note("`web.listen` is off in \(config ?? ""): there is no page to serve")
            }
            subject = found
        } catch let error as ValidationError {
            throw error
        } catch {
            Terminal.note("Error: \(error)")
            throw ExitCode(config == nil ? EXIT_FAILURE : ExitStatus.configuration)
        }
        ServiceLogging.bootstrap(level: subject.logLevel)
        _ = signal(SIGPIPE, SIG_IGN)
        try await serve(subject)
        ServiceLogging.flush()
    }

    /// `nil` where the configuration wants no page.
    private func subject() throws -> Subject? {
        let folder = beside ?? ProcessInfo.processInfo.environment["CREDENTIALS_DIRECTORY"]
        let credential = folder.map(Self.credential)
        guard let config else {
            guard let out else { throw ValidationError("name the output folder, or give --config FILE") }
            if status == nil, beside == nil { try LedgerOptions.requireLedger(in: out) }
            return Subject(
                tree: LedgerOptions.tree(out),
                web: try WebSettings(
                    listen: listen ?? WebSettings.standardAddress,
                    token: token,
                    plate: plate ?? .auto
                ).withCredential(in: credential),
                rules: lenses.rules,
                logLevel: logLevel ?? .notice
            )
        }
        guard out == nil, listen == nil, token == nil, plate == nil else {
            throw ValidationError("with --config, the output folder and the page are those of the file")
        }
        let configuration = try Configuration.load(path: config)
        guard let web = configuration.web else { return nil }
        return Subject(
            tree: configuration.output,
            web: try web.withCredential(in: credential),
            rules: configuration.plateRules,
            logLevel: configuration.logLevel
        )
    }

    private func serve(_ subject: Subject) async throws {
        let (host, isByHand) = (subject.web.host, config == nil && beside == nil)
        let status = status.map { StatusFile(path: $0) } ?? beside.map(Self.status)
        let service = DashboardService(
            settings: subject.web,
            tree: subject.tree,
            rules: subject.rules,
            mayDecide: !readOnly,
            // The daemon's user, or that of the page's unit, is nobody who looks at frames.
            reviewer: reviewer ?? (isByHand ? NSUserName() : ""),
            logger: Logger(label: "autoqc"),
            daemon: { status?.standing },
            listening: { port in
                guard isByHand else { return }
                Terminal.note("http://\(host.contains(":") ? "[\(host)]" : host):\(port)/")
            }
        )
        let group = ServiceGroup(
            configuration: ServiceGroupConfiguration(services: [service], logger: Logger(label: "autoqc"))
        )
        let requests = ProcessSignals.stream(of: [SIGTERM, SIGINT])
        let stopping = Task { for await _ in requests { await group.triggerGracefulShutdown() } }
        defer { stopping.cancel() }
        if let beside {
            Self.whenInputEnds {
                try? FileManager.default.removeItem(atPath: beside)
                Task { await group.triggerGracefulShutdown() }
            }
        }
        try await group.run()
    }

    /// The daemon that started this process holds the other end of its standard input, and says nothing.
    private static func whenInputEnds(_ body: @escaping @Sendable () -> Void) {
        let thread = Thread {
            var byte: UInt8 = 0
            while true {
                let count = unsafe read(STDIN_FILENO, &byte, 1)
                if count == 0 || count < 0 && errno != EINTR { break }
            }
            body()
        }
        thread.name = "autoqc.input"
        thread.start()
    }
}

extension WebSettings.PlateFormat: ExpressibleByArgument {}
