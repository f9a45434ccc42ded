import Foundation
import HTTPTypes
import Hummingbird
package import Ledger
package import Logging
package import Reporting
package import Rules
import ServiceLifecycle

/// The live page: plate map, drill-down, `/api/v1`, `/metrics` and `/healthz` over HTTP.
///
/// It answers from the ledger and the output folder, so that nothing of it is lost with the daemon, and adds what the daemon
/// says of itself. All its work is on two threads of low priority. Where the address is taken it says so, and tries
/// again until it is free: no reason to judge no frames.
package struct DashboardService: Service {
    private let settings: WebSettings
    private let site: Site
    private let figures: @Sendable () -> DaemonFigures?
    private let logger: Logger
    private let listening: @Sendable (_ port: Int) -> Void

    private static let pause = Duration.seconds(10)
    /// Open connections; a browser has up to six.
    private static let mostConnections = 256

    /// Serves the runs of an output folder; `figures` is `nil` where no daemon runs in this process.
    ///
    /// Decisions can be stored where the ledger was opened to write. `rules` say how the lenses stand. `listening` hears of
    /// the port as soon as it is open.
    package init(
        settings: WebSettings,
        ledger: FrameLedger,
        tree: OutputTree,
        rules: PlateRules = PlateRules(),
        logger: Logger,
        figures: @escaping @Sendable () -> DaemonFigures? = { nil },
        listening: @escaping @Sendable (_ port: Int) -> Void = { _ in }
    ) {
        self.settings = settings
        self.figures = figures
        self.logger = logger
        self.listening = listening
        site = Site(
            reader: PlateReader(
                ledger: ledger,
                tree: tree,
                format: settings.plate,
                lensHistory: LensHistory(ledger: ledger, rules: rules),
                figures: figures
            )
        )
    }

    /// Serves until the graceful shutdown.
    package func run() async throws {
        while !Task.isShuttingDownGracefully, !Task.isCancelled {
            do {
                try await serve()
                return
            } catch {
                logger.error(
                    "The live page cannot be served; judging goes on, and the page is tried again",
                    metadata: ["address": "\(settings.host):\(settings.port)", "reason": "\(error)"]
                )
                try? await cancelWhenGracefulShutdown { try await Task.sleep(for: Self.pause) }
            }
        }
    }

    private func serve() async throws {
        var quiet = Logger(label: "autoqc.page")
        quiet.logLevel = .error
        let (logger, listening, host) = (logger, listening, settings.host)
        let application = Application(
            router: router,
            configuration: ApplicationConfiguration(
                address: .hostname(settings.host, port: settings.port),
                availableConnectionsDelegate: .maximum(Self.mostConnections, logger: quiet)
            ),
            onServerRunning: { channel in
                let port = channel.localAddress?.port ?? 0
                logger.info("The live page is open", metadata: ["address": "http://\(host):\(port)/"])
                listening(port)
            },
            logger: quiet
        )
        try await application.run()
    }

    private var router: Router<BasicRequestContext> {
        let router = Router(context: BasicRequestContext.self)
        router.add(middleware: Access(settings: settings))
        Assets.addRoutes(to: router)
        Routes(site: site, events: EventStream(site)).add(to: router)
        router.get("/metrics") { _, _ in
            Response(type: "text/plain; version=0.0.4; charset=utf-8", bytes: try await metrics().utf8)
        }
        router.get("/healthz") { _, _ in health }
        return router
    }

    private func metrics() async throws -> String {
        let status = try await site.status()
        let figures = figures()
        let (run, wells) = try await site.ask { reader in
            let run = try reader.ledger.runs().first?.run
            return (run, try run.map { try reader.plate($0).wells } ?? [])
        }
        return Metrics(figures: figures, run: run, wells: wells, status: status).text
    }

    /// 200 while every part of the daemon gets on with its work and every watched folder answers; without a daemon, while the page
    /// does.
    private var health: Response {
        guard let figures = figures() else {
            return Response(type: "text/plain", bytes: "ok: no daemon here\n".utf8)
        }
        let stuck = figures.isAlive ? [] : figures.parts.filter { $0.silence > 1 }.map(\.name)
        let lines =
            (stuck.isEmpty ? [] : ["stuck: \(stuck.joined(separator: ", "))"])
            + figures.silentFolders.map {
                "no answer for \(Int(exactly: $0.silence.rounded()) ?? 0) s: \($0.folder)"
            }
        guard !lines.isEmpty else { return Response(type: "text/plain", bytes: "ok\n".utf8) }
        return Response(
            status: .serviceUnavailable,
            type: "text/plain",
            bytes: (lines.joined(separator: "\n") + "\n").utf8
        )
    }
}
