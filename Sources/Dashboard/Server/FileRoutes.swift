import Foundation
import Frames
import HTTPTypes
import Hummingbird
import Plate

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
        addScale(to: router)
        add("frame.tiff", "image/tiff", to: router) { $0.framePath }
        add("mask.tiff", "image/tiff", to: router) { $0.maskPath }
        add("mask.geojson", "application/geo+json", to: router) { $0.regionsPath }
        add("scores.tiff", "image/tiff", to: router) { $0.heatMapPath }
    }

    /// What the frame's pictures are measured by, from its own file and its score map.
    private func addScale(to router: Router<Routes.Context>) {
        router.get(RouterPath("\(Routes.frame)/scale")) { request, context in
            let frame = try Routes.frame(request, context)
            guard let files = try await files(of: frame, Routes.file(request)) else { return Self.missing }
            let scale = try await site.pictures.run {
                Answer.Scale(
                    pixelSize: files.pixelSize?.x,
                    heatHigh: files.readHeatMap().map { Double(Picture.high($0)) / 65535 }
                )
            }
            return Response(type: "application/json; charset=utf-8", bytes: try Answer.encode(scale))
        }
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

/// The page's own files, carried within the program, which is installed alone.
enum Assets {
    static func addRoutes(to router: Router<PageContext>) {
        add("/", "text/html; charset=utf-8", PackageResources.index_html, to: router)
        add("/page.css", "text/css; charset=utf-8", PackageResources.page_css, to: router)
        for (path, bytes) in [
            ("/page.js", PackageResources.page_js), ("/words.js", PackageResources.words_js),
            ("/standing.js", PackageResources.standing_js), ("/figures.js", PackageResources.figures_js),
            ("/advice.js", PackageResources.advice_js), ("/events.js", PackageResources.events_js),
            ("/attention.js", PackageResources.attention_js), ("/plate.js", PackageResources.plate_js),
            ("/well.js", PackageResources.well_js), ("/chart.js", PackageResources.chart_js),
            ("/frame.js", PackageResources.frame_js), ("/picture.js", PackageResources.picture_js),
            ("/lens.js", PackageResources.lens_js), ("/flagged.js", PackageResources.flagged_js),
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
