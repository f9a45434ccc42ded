import Foundation
import HTTPTypes
import Hummingbird
package import Logging
package import Reporting
package import Rules
import ServiceLifecycle

/// The live page: plate map, drill-down, `/api/v1`, `/metrics` and `/healthz` over HTTP.
///
/// It answers from the ledger and the output folder, which it only reads but for reviewers' decisions and answers to advice, and adds what the
/// daemon says of itself. So it needs no daemon, and is best a process of its own: nothing that is asked for can end the one that judges.
package struct DashboardService: Service {
    private let settings: WebSettings
    private let site: Site
    private let logger: Logger
    private let listening: @Sendable (_ port: Int) -> Void

    /// Serves the runs of an output folder, which may come later; `daemon` is `nil` where no daemon is asked for.
    ///
    /// `rules` say how the lenses stand. `reviewer` is who decides here, unless they give another name. `listening` hears of the port as soon as it is open.
    package init(
        settings: WebSettings,
        tree: OutputTree,
        rules: PlateRules = PlateRules(),
        mayDecide: Bool = true,
        reviewer: String = "",
        logger: Logger,
        daemon: @escaping @Sendable () -> StatusFile.Standing? = { nil },
        listening: @escaping @Sendable (_ port: Int) -> Void = { _ in }
    ) {
        self.settings = settings
        self.logger = logger
        self.listening = listening
        site = Site(
            ledger: OpenLedger(tree.ledger),
            tree: tree,
            decisions: DecisionLog(tree),
            answers: AdviceLog(tree),
            format: settings.plate,
            lenses: LensHistory(rules: rules),
            daemon: daemon,
            mayDecide: mayDecide,
            reviewer: reviewer
        )
    }

    /// Serves until the graceful shutdown.
    package func run() async throws {
        await PageServer(settings: settings, router: { router }, logger: logger, listening: listening).run()
    }

    private var router: Router<PageContext> {
        let router = Router(context: PageContext.self)
        router.add(middleware: Access(settings: settings))
        Assets.addRoutes(to: router)
        Routes(site: site, events: EventStream(site)).add(to: router)
        router.get("/metrics") { _, _ in
            let site = site
            let text = try await site.metrics.run { Metrics(site).text }
            return Response(type: "text/plain; version=0.0.4; charset=utf-8", bytes: text.utf8)
        }
        router.get("/healthz") { _, _ in
            let site = site
            return Response(healthOf: try await site.health.run { site.daemon() })
        }
        return router
    }
}

extension Response {
    /// 200 while every part of the daemon gets on with its work and every watched folder answers; without a daemon, while the page
    /// does.
    fileprivate init(healthOf standing: StatusFile.Standing?) {
        let (problems, notes): ([String], [String]) =
            switch standing {
            case nil: ([], ["ok: no daemon here"])
            case .gone(let reason, _): ([reason], [])
            case .alive(let figures): (figures.problems, Self.notes(on: figures))
            }
        let lines = (problems.isEmpty && standing != nil ? ["ok"] : problems) + notes
        self.init(
            status: problems.isEmpty ? .ok : .serviceUnavailable,
            type: "text/plain; charset=utf-8",
            bytes: (lines.joined(separator: "\n") + "\n").utf8
        )
    }

    private static func notes(on figures: DaemonFigures) -> [String] {
        let since = figures.waitingSince.map { ", the oldest since \($0.iso8601)" } ?? ""
        return (figures.waiting > 0 ? ["\(figures.waiting) frames wait\(since)"] : [])
            + figures.troubles.map { "a well waits: \($0)" }
    }
}
