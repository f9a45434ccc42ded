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
/// says of itself. All its work is on two threads of low priority.
package struct DashboardService: Service {
    private let settings: WebSettings
    private let site: Site
    private let figures: @Sendable () -> DaemonFigures?
    private let logger: Logger
    private let listening: @Sendable (_ port: Int) -> Void

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
        await PageServer(settings: settings, router: { router }, logger: logger, listening: listening).run()
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

    private var health: Response { Response(healthOf: figures()) }
}

/// What there is of the page while the daemon waits for its output: `/healthz`, and everywhere else why there is nothing.
package struct WaitingPage: Service {
    private let settings: WebSettings
    private let figures: @Sendable () -> DaemonFigures
    private let logger: Logger
    private let listening: @Sendable (_ port: Int) -> Void

    /// Serves at the address of the page; `listening` hears of the port as soon as it is open.
    package init(
        settings: WebSettings,
        logger: Logger,
        figures: @escaping @Sendable () -> DaemonFigures,
        listening: @escaping @Sendable (_ port: Int) -> Void = { _ in }
    ) {
        (self.settings, self.figures, self.logger) = (settings, figures, logger)
        self.listening = listening
    }

    /// Serves until it is cancelled.
    package func run() async throws {
        await PageServer(settings: settings, router: { router }, logger: logger, listening: listening).run()
    }

    private var router: Router<BasicRequestContext> {
        let router = Router(context: BasicRequestContext.self)
        router.add(middleware: Access(settings: settings))
        router.get("/healthz") { _, _ in Response(healthOf: figures()) }
        for path: RouterPath in ["/", "**"] {
            router.get(path) { _, _ in
                let reasons = figures().obstacles.joined(separator: " ")
                return Response.problem(.serviceUnavailable, "the daemon waits for its output: \(reasons)")
            }
        }
        return router
    }
}

extension Response {
    /// 200 while every part of the daemon gets on with its work and every watched folder answers; without a daemon, while the page
    /// does.
    fileprivate init(healthOf figures: DaemonFigures?) {
        guard let figures else {
            self.init(type: "text/plain", bytes: "ok: no daemon here\n".utf8)
            return
        }
        let stuck = figures.isAlive ? [] : figures.parts.filter { $0.silence > 1 }.map(\.name)
        let problems =
            figures.obstacles.map { "waits: \($0)" }
            + figures.silentFolders.map {
                "no answer for \(Int(exactly: $0.silence.rounded()) ?? 0) s: \($0.folder)"
            }
            + (stuck.isEmpty ? [] : ["stuck: \(stuck.joined(separator: ", "))"])
        let lines = (problems.isEmpty ? ["ok"] : problems) + figures.troubles.map { "a well waits: \($0)" }
        self.init(
            status: problems.isEmpty ? .ok : .serviceUnavailable,
            type: "text/plain; charset=utf-8",
            bytes: (lines.joined(separator: "\n") + "\n").utf8
        )
    }
}
