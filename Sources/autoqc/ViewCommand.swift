import ArgumentParser
import Dashboard
import Foundation
import Ledger
import Logging
package import Reporting
import ServiceLifecycle
import Systemd

struct ViewCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "view",
        abstract: "Show the page of an output folder without a daemon: plate, wells, flagged frames.",
        discussion: """
            Decisions can be made where no daemon writes the folder; beside one they are made on the daemon's own page. \
            Ends with Ctrl-C.
            """
    )

    @OptionGroup var output: LedgerOptions
    @Option(help: "Where the page is served.")
    var listen = WebSettings.standardAddress
    @Option(
        help:
            "What a browser has to bring, at least 16 characters; required for other addresses than loopback."
    )
    var token: String?
    @Option(help: "Wells of the plate: auto, 96, 384 or 1536.")
    var plate = WebSettings.PlateFormat.auto
    @OptionGroup var lenses: LensOptions
    @Flag(help: "Make no decisions, and leave the folder as it is.")
    var readOnly = false

    func run() async throws {
        let settings = try WebSettings(listen: listen, token: token, plate: plate)
        try LedgerOptions.requireLedger(in: output.out)
        ServiceLogging.bootstrap(level: .notice)
        let lock = readOnly ? nil : try? OutputLock(tree: output.tree)
        let ledger =
            lock == nil
            ? try FrameLedger(reading: output.tree.ledger) : try FrameLedger(path: output.tree.ledger)
        if lock == nil, !readOnly {
            Terminal.note(
                "A daemon writes \(output.out), or it may not be written: decisions cannot be made here"
            )
        }
        let host = settings.host
        let service = DashboardService(
            settings: settings,
            ledger: ledger,
            tree: output.tree,
            rules: lenses.rules,
            logger: Logger(label: "autoqc"),
            listening: { Terminal.note("http://\(host.contains(":") ? "[\(host)]" : host):\($0)/") }
        )
        let group = ServiceGroup(
            configuration: ServiceGroupConfiguration(services: [service], logger: Logger(label: "autoqc"))
        )
        let requests = ProcessSignals.stream(of: [SIGTERM, SIGINT])
        let stopping = Task { for await _ in requests { await group.triggerGracefulShutdown() } }
        defer { stopping.cancel() }
        try await group.run()
        withExtendedLifetime(lock) {}
    }
}

extension WebSettings.PlateFormat: ExpressibleByArgument {}
