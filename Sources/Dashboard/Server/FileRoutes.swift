import Foundation
import HTTPTypes
import Hummingbird
import Ledger
import Plate

/// Pictures and files of a frame.
struct FileRoutes: Sendable {
    let site: Site

    func add(to router: Router<Routes.Context>) {
        router.get(RouterPath("\(Routes.frame)/image.png")) { request, context in
            try await picture(of: Routes.frame(context), width: Self.width(request), kind: "image") {
                files,
                width in
                try files.readFrame().map { try Picture.grey($0, width: width) }
            }
        }
        router.get(RouterPath("\(Routes.frame)/heat.png")) { request, context in
            try await picture(of: Routes.frame(context), width: Self.width(request), kind: "heat") {
                files,
                width in
                try files.readHeatMap().map { try Picture.heat($0, width: width) }
            }
        }
        add("frame.tiff", "image/tiff", to: router) { $0.framePath }
        add("mask.tiff", "image/tiff", to: router) { $0.maskPath }
        add("mask.geojson", "application/geo+json", to: router) { $0.regionsPath }
        add("scores.tiff", "image/tiff", to: router) { $0.heatMapPath }
    }

    private func picture(
        of frame: FrameID,
        width: Int,
        kind: String,
        make: @escaping @Sendable (FrameFiles, Int) throws -> [UInt8]?
    ) async throws -> Response {
        guard let files = try await files(of: frame) else { return Self.missing }
        let shelf = site.shelf
        let judged = files.record.judged.nanoseconds
        let bytes = try await site.pictures.run {
            try shelf.picture("\(kind) \(frame) \(judged) \(width)") { try make(files, width) }
        }
        guard let bytes else { return Self.missing }
        var response = Response(type: "image/png", bytes: bytes)
        // The page asks under another address for a frame that was judged again.
        response.headers[.cacheControl] = "private, max-age=86400"
        return response
    }

    private static let missing = Response.problem(.notFound, "the file is gone, or was never written")

    private func files(of frame: FrameID) async throws -> FrameFiles? {
        let tree = site.reader.tree
        return try await site.ask { reader in
            try reader.record(frame).map { FrameFiles(tree: tree, record: $0) }
        }
    }

    private static func width(_ request: Request) -> Int {
        let asked = request.uri.queryParameters.get("width").flatMap { Int($0) } ?? Picture.widest
        return min(max(asked, Picture.narrowest), Picture.widest)
    }

    /// Largest file that is handed over, in bytes: it goes through memory.
    private static let largestFile = 256 << 20

    private func add(
        _ name: String,
        _ type: String,
        to router: Router<Routes.Context>,
        path: @escaping @Sendable (FrameFiles) -> String?
    ) {
        router.get(RouterPath("\(Routes.frame)/\(name)")) { _, context in
            let frame = try Routes.frame(context)
            guard let files = try await files(of: frame), let path = path(files) else { return Self.missing }
            let data = try await site.pictures.run { Self.read(path) }
            guard let data else { return Self.missing }
            var response = Response(type: type, bytes: data)
            response.headers[.contentDisposition] = "attachment; filename=\"\(Self.fileName(path))\""
            return response
        }
    }

    /// A regular file that is not absurdly large, or `nil`.
    private static func read(_ path: String) -> Data? {
        let attributes = try? FileManager.default.attributesOfItem(atPath: path)
        guard attributes?[.type] as? FileAttributeType == .typeRegular,
            let size = attributes?[.size] as? NSNumber, size.intValue <= largestFile
        else { return nil }
        return FileManager.default.contents(atPath: path)
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
