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

/// Pictures and files of a frame.
struct FileRoutes: Sendable {
    let site: Site

    func add(to router: Router<Routes.Context>) {
        addPicture("image", to: router) { files, width in
            try files.readFrame().map { try Picture.grey($0, width: width) }
        }
        addPicture("heat", to: router) { files, width in
            try files.readHeatMap().map { try Picture.heat($0, width: width) }
        }
        add("frame.tiff", "image/tiff", to: router) { $0.framePath }
        add("mask.tiff", "image/tiff", to: router) { $0.maskPath }
        add("mask.geojson", "application/geo+json", to: router) { $0.regionsPath }
        add("scores.tiff", "image/tiff", to: router) { $0.heatMapPath }
    }

    private func addPicture(
        _ kind: String,
        to router: Router<Routes.Context>,
        make: @escaping @Sendable (FrameFiles, _ width: Int) throws -> [UInt8]?
    ) {
        router.get(RouterPath("\(Routes.frame)/\(kind).png")) { request, context in
            let (frame, width, shelf) = (try Routes.frame(request, context), Self.width(request), site.shelf)
            guard let files = try await files(of: frame, Routes.file(request)) else { return Self.missing }
            let name =
                "\(kind) \(frame) \(files.record.source.key) \(files.record.judged.nanoseconds) \(width)"
            let bytes = try await site.pictures.run {
                try shelf.picture(name) { try make(files, width) }
            }
            guard let bytes else {
                // The score map is the daemon's own.
                let isChanged = try await site.pictures.run { kind == "image" && files.isChanged }
                return isChanged ? Self.changed : Self.missing
            }
            var response = Response(type: "image/png", bytes: bytes)
            // The page asks under another address for a frame that was judged again.
            response.headers[.cacheControl] = "private, max-age=86400"
            return response
        }
    }

    private static let changed = Response.problem(
        .conflict,
        "the file holds another frame now than the one that was judged; the new one is shown when it is judged"
    )
    private static let missing = Response.problem(.notFound, "the file is gone, or was never written")

    private func files(of frame: FrameID, _ file: String) async throws -> FrameFiles? {
        let tree = site.tree
        return try await site.ask { reader in
            try reader.record(frame, file: file).map { FrameFiles(tree: tree, record: $0) }
        }
    }

    private static func width(_ request: Request) -> Int {
        let asked = request.uri.queryParameters.get("width").flatMap { Int($0) } ?? Picture.widest
        return min(max(asked, Picture.narrowest), Picture.widest)
    }

    private func add(
        _ name: String,
        _ type: String,
        to router: Router<Routes.Context>,
        path: @escaping @Sendable (FrameFiles) -> String?
    ) {
        router.get(RouterPath("\(Routes.frame)/\(name)")) { request, context in
            let frame = try Routes.frame(request, context)
            guard let files = try await files(of: frame, Routes.file(request)), let path = path(files) else {
                return Self.missing
            }
            let isFrame = path == files.framePath
            let (file, isChanged) = try await site.pictures.run {
                isFrame && files.isChanged ? (nil, true) : (FilePart(path), false)
            }
            guard let file else { return isChanged ? Self.changed : Self.missing }
            var response = file.response(type: type, reading: site.pictures)
            response.headers[.contentDisposition] = "attachment; filename=\"\(Self.fileName(path))\""
            return response
        }
    }

    /// The last part of a path, as a header can carry it.
    private static func fileName(_ path: String) -> String {
        String(
            (path.split(separator: "/").last ?? "frame").map {
                $0.isASCII && ($0.isLetter || $0.isNumber || "._-".contains($0)) ? $0 : "_"
            }
        )
    }
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
                Answer.Decisions(
                    decisions: try reader.decisions.decisions(run: run).map { Answer.Decision($0) },
                    isOpen: isOpen
                )
            }
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
            reviewer: reviewer,
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

/// The page's own files, carried within the program, which is installed alone.
enum Assets {
    static func addRoutes(to router: Router<PageContext>) {
        add("/", "text/html; charset=utf-8", PackageResources.index_html, to: router)
        add("/page.css", "text/css; charset=utf-8", PackageResources.page_css, to: router)
        for (path, bytes) in [
            ("/page.js", PackageResources.page_js), ("/plate.js", PackageResources.plate_js),
            ("/well.js", PackageResources.well_js), ("/frame.js", PackageResources.frame_js),
            ("/lens.js", PackageResources.lens_js),
        ] {
            add(path, "text/javascript; charset=utf-8", bytes, to: router)
        }
        add("/icon.svg", "image/svg+xml", PackageResources.icon_svg, to: router)
    }

    private static func add(
        _ path: String,
        _ type: String,
        _ bytes: [UInt8],
        to router: Router<PageContext>
    ) {
        router.get(RouterPath(path)) { _, _ in
            var response = Response(type: type, bytes: bytes)
            // A newer program has other files under the same names.
            response.headers[.cacheControl] = "no-cache"
            return response
        }
    }
}
