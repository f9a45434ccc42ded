import Foundation
import HTTPTypes
import Hummingbird
import Ledger
import Plate
import Reporting

/// The addresses of `/api/v1`.
///
/// Files are named by run, well and frame, never by a path.
struct Routes: Sendable {
    typealias Context = BasicRequestContext

    let site: Site
    let events: EventStream

    static let well = "/api/v1/runs/{run}/wells/{well}"
    static let frame = "\(well)/frames/{frame}"

    func add(to router: Router<Context>) {
        router.get("/api/v1/status") { _, _ in try await site.answer { try await site.status() } }
        router.get("/api/v1/runs") { _, _ in try await site.answer { try await site.ask { try $0.runs() } } }
        router.get("/api/v1/runs/{run}") { _, context in
            let run = try Self.run(context)
            return try await site.answer(about: run) { try $0.plate(run) }
        }
        router.get("/api/v1/runs/{run}/lenses") { _, context in
            let run = try Self.run(context)
            return try await site.answer(about: run) { try $0.lenses(run) }
        }
        router.get("/api/v1/events") { request, _ in stream(request) }
        router.get(RouterPath(Self.well)) { _, context in
            let (run, well) = (try Self.run(context), try Self.well(context))
            return try await site.answer(about: run) { try $0.series(run, well) }
        }
        router.get(RouterPath("\(Self.well)/frames")) { request, context in
            let (run, well) = (try Self.run(context), try Self.well(context))
            let selection = Self.selection(request)
            return try await site.answer(about: run) { try $0.strip(run, well, selection) }
        }
        router.get(RouterPath(Self.frame)) { _, context in
            let frame = try Self.frame(context)
            return try await site.answer { try await site.ask { try $0.detail(frame) } }
        }
        FileRoutes(site: site).add(to: router)
        DecisionRoutes(site: site).add(to: router)
    }

    private func stream(_ request: Request) -> Response {
        let last = request.headers[HTTPField.Name.lastEventID].flatMap { Int64($0) }
        let asked = request.uri.queryParameters.get("after").flatMap { Int64($0) }
        return events.response(
            run: request.uri.queryParameters.get("run"),
            after: max(0, last ?? asked ?? 0)
        )
    }

    private static func selection(_ request: Request) -> FrameLedger.Selection {
        let query = request.uri.queryParameters
        let limit = query.get("limit").flatMap { Int($0) } ?? 24
        var selection = FrameLedger.Selection(limit: min(max(limit, 1), PlateReader.longestStrip))
        selection.before = query.get("before").flatMap { Int($0) }
        selection.from = query.get("from").flatMap { Int($0) }
        selection.flaggedOnly = query.get("flagged") == "1"
        return selection
    }

    /// The run in the address.
    static func run(_ context: Context) throws -> String {
        guard let run = context.parameters.get("run"), let name = run.removingPercentEncoding, !name.isEmpty
        else {
            throw HTTPError(.badRequest, message: "the address names no run")
        }
        return name
    }

    /// The well in the address.
    static func well(_ context: Context) throws -> Well {
        guard let well = context.parameters.get("well").flatMap({ Well($0) }) else {
            throw HTTPError(.badRequest, message: "the address names no well; write it like B01")
        }
        return well
    }

    /// The frame in the address.
    static func frame(_ context: Context) throws -> FrameID {
        guard let index = context.parameters.get("frame").flatMap({ Int($0) }) else {
            throw HTTPError(.badRequest, message: "the address names no frame; write its number")
        }
        return FrameID(run: try run(context), well: try well(context), index: index)
    }
}

extension HTTPField.Name {
    /// Where a browser goes on after a break.
    fileprivate static let lastEventID = HTTPField.Name("Last-Event-ID") ?? .range
}
