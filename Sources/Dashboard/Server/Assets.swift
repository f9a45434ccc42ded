import Hummingbird

/// The page's own files, carried within the program, which is installed alone.
enum Assets {
    static func addRoutes(to router: Router<BasicRequestContext>) {
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
        to router: Router<BasicRequestContext>
    ) {
        router.get(RouterPath(path)) { _, _ in
            var response = Response(type: type, bytes: bytes)
            // A newer program has other files under the same names.
            response.headers[.cacheControl] = "no-cache"
            return response
        }
    }
}
