import Foundation
import HTTPTypes
import Hummingbird
import Ledger
import Plate
import Reporting

/// The addresses of `/api/v1`.
///
/// Files are named by run, well, view and frame, never by a path; where several files say the same frame, by the key that the
/// list of frames has for each.
struct Routes: Sendable {
    typealias Context = PageContext

    let site: Site
    let events: EventStream

    static let well = "/api/v1/runs/{run}/wells/{well}"
    static let frame = "\(well)/frames/{frame}"

    func add(to router: Router<Context>) {
        router.get("/api/v1/status") { _, _ in try await site.answer { try await site.status() } }
        router.get("/api/v1/runs") { _, _ in
            try await site.answer {
                do {
                    return try await site.ask { try $0.runs() }
                } catch let error as LedgerError where error.code == .notMade {
                    return [Answer.Run]()
                }
            }
        }
        router.get("/api/v1/runs/{run}") { _, context in
            let run = try Self.run(context)
            return try await site.answer(about: run) { try $0.plate(run) }
        }
        router.get("/api/v1/runs/{run}/lenses") { _, context in
            let run = try Self.run(context)
            return try await site.answer(about: run) { try $0.lenses(run) }
        }
        router.get("/api/v1/runs/{run}/events") { request, context in
            let (run, query) = (try Self.run(context), request.uri.queryParameters)
            let kinds = try Self.kinds(query.get("event"))
            let before = query.get("before").flatMap { Int64($0) } ?? .max
            return try await site.answer(about: run) { try $0.events(run, kinds, before: before) }
        }
        router.get("/api/v1/runs/{run}/curves") { _, context in
            let run = try Self.run(context)
            return try await site.answer(about: run) { try $0.curves(run) }
        }
        router.get("/api/v1/watched") { _, _ in
            try await site.answer(orElse: "no daemon has written here yet") {
                try await site.ask { try $0.watched() }
            }
        }
        router.get("/api/v1/events") { request, context in stream(request, context) }
        router.get(RouterPath(Self.well)) { request, context in
            let (run, well) = (try Self.run(context), try Self.well(context))
            let view = try Self.view(request)
            return try await site.answer(about: run) { try $0.series(run, well, view) }
        }
        router.get(RouterPath("\(Self.well)/frames")) { request, context in
            let (run, well) = (try Self.run(context), try Self.well(context))
            let selection = try Self.selection(request)
            return try await site.answer(about: run) { try $0.strip(run, well, selection) }
        }
        router.get(RouterPath(Self.frame)) { request, context in
            let (frame, file) = (try Self.frame(request, context), Self.file(request))
            return try await site.answer { try await site.ask { try $0.detail(frame, file: file) } }
        }
        FileRoutes(site: site).add(to: router)
        DecisionRoutes(site: site).add(to: router)
        AdviceRoutes(site: site).add(to: router)
    }

    private func stream(_ request: Request, _ context: Context) -> Response {
        let last = request.headers[HTTPField.Name.lastEventID].flatMap { Int64($0) }
        let asked = request.uri.queryParameters.get("after").flatMap { Int64($0) }
        let run = request.uri.queryParameters.get("run")
        return events.response(context, run: run, after: max(0, last ?? asked ?? 0))
    }

    private static func selection(_ request: Request) throws -> FrameLedger.Selection {
        let query = request.uri.queryParameters
        let limit = query.get("limit").flatMap { Int($0) } ?? 24
        var selection = FrameLedger.Selection(limit: min(max(limit, 1), PlateReader.longestStrip))
        selection.view = try view(request)
        selection.before = query.get("before").flatMap { Int($0) }
        selection.from = query.get("from").flatMap { Int($0) }
        selection.flaggedOnly = query.get("flagged") == "1"
        return selection
    }

    /// The kinds of events in an address's query, with commas between them; none for all.
    private static func kinds(_ text: String?) throws -> Set<Event.Kind> {
        try Set(
            (text ?? "").split(separator: ",").map { name in
                guard let kind = Event.Kind(rawValue: String(name)) else {
                    let kinds = Event.Kind.allCases.map(\.rawValue).joined(separator: ", ")
                    throw HTTPError(.badRequest, message: "there is no event \(name); there are \(kinds)")
                }
                return kind
            }
        )
    }

    static func run(_ context: Context) throws -> String {
        guard let run = context.parameters.get("run"), let name = run.removingPercentEncoding, !name.isEmpty
        else {
            throw HTTPError(.badRequest, message: "the address names no run")
        }
        return name
    }

    static func well(_ context: Context) throws -> Well {
        guard let well = context.parameters.get("well").flatMap({ Well($0) }) else {
            throw HTTPError(.badRequest, message: "the address names no well; write it like B01")
        }
        return well
    }

    /// The view in an address's query; `nil` where there is none.
    static func view(_ request: Request) throws -> FrameView? {
        guard let text = request.uri.queryParameters.get("view") else { return nil }
        guard let view = FrameView(text) else {
            throw HTTPError(.badRequest, message: "the address names no view; write it like s1_z2_cDAPI")
        }
        return view
    }

    /// The key of a file in an address's query; empty where there is none.
    static func file(_ request: Request) -> String { request.uri.queryParameters.get("file") ?? "" }

    static func frame(_ request: Request, _ context: Context) throws -> FrameID {
        guard let index = context.parameters.get("frame").flatMap({ Int($0) }) else {
            throw HTTPError(.badRequest, message: "the address names no frame; write its number")
        }
        return FrameID(
            run: try run(context),
            well: try well(context),
            view: try view(request) ?? .only,
            index: index
        )
    }
}

extension HTTPField.Name {
    /// Where a browser goes on after a break.
    fileprivate static let lastEventID = HTTPField.Name("Last-Event-ID") ?? .range
}

/// What reviewers decided, and what they decide.
struct DecisionRoutes: Sendable {
    let site: Site

    private static let path: RouterPath = "/api/v1/runs/{run}/decisions"
    /// Longest request, in bytes.
    private static let longest = 16 << 10

    /// A decision as the page sends it.
    private struct Wish: Decodable {
        let well: String
        let view: String?
        let frame: Int?
        let file: String?
        let decision: String
        let note: String?
        let reviewer: String?
    }

    func add(to router: Router<Routes.Context>) {
        router.get(Self.path) { _, context in
            let run = try Routes.run(context)
            let isOpen = site.canDecide
            return try await site.answer(about: run) { reader in
                let reviews = Reviews(try reader.decisions.decisions(run: run))
                return Answer.Decisions(
                    decisions: reviews.decisions.map { Answer.Decision($0) },
                    agreement: reviews.pairs.map { Answer.Agreement($0) },
                    isOpen: isOpen
                )
            }
        }
        router.get("/api/v1/runs/{run}/flagged") { _, context in
            let run = try Routes.run(context)
            return try await site.answer(about: run) { try $0.flagged(run) }
        }
        router.post(Self.path) { request, context in try await decide(request, run: Routes.run(context)) }
    }

    private func decide(_ request: Request, run: String) async throws -> Response {
        guard site.canDecide else {
            return .problem(
                .conflict,
                "this page only reads: it was started with --read-only, or may not write decisions.jsonl of the output folder"
            )
        }
        let body = try await request.body.collect(upTo: Self.longest)
        guard let wish = try? JSONDecoder().decode(Wish.self, from: Data(body.readableBytesView)),
            let well = Well(wish.well), let view = FrameView(wish.view ?? ""),
            let kind = Decision.Kind(rawValue: wish.decision)
        else {
            return .problem(
                .badRequest,
                "send well, frame (with view and file) or none, decision (\(Decision.Kind.allCases.map(\.rawValue).joined(separator: ", "))), note, reviewer"
            )
        }
        guard let note = PlainText.checked(wish.note, allowing: "\n\t"),
            let reviewer = PlainText.checked(wish.reviewer)
        else {
            return .problem(
                .badRequest,
                "a note has no control characters but line breaks and tabs, a reviewer's name has none; remove them"
            )
        }
        let decision = Decision(
            run: run,
            well: well,
            view: wish.frame == nil ? .only : view,
            frame: wish.frame,
            file: wish.frame == nil ? "" : wish.file ?? "",
            kind: kind,
            note: note,
            reviewer: reviewer.allSatisfy(\.isWhitespace) ? site.reviewer : reviewer,
            decided: .now
        )
        let isKnown = try await site.ask { reader in
            guard try reader.knows(decision) else { return false }
            try reader.decisions.add(decision)
            return true
        }
        guard isKnown else { return .problem(.notFound, "no such frame was judged") }
        return Response(
            status: .created,
            type: "application/json; charset=utf-8",
            bytes: try Answer.encode(Answer.Decision(decision))
        )
    }
}

extension PlateReader {
    /// Whether a frame, or any frame of a well, has an outcome.
    func knows(_ decision: Decision) throws -> Bool {
        if let frame = decision.id { return try record(frame, file: decision.file) != nil }
        return try !ledger.records(of: decision.well, run: decision.run, FrameLedger.Selection(limit: 1))
            .isEmpty
    }
}
