package import Foundation

/// The folder of Package.swift.
package let packageRoot = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent()

/// Where the tests find real frames and golden values; each is `nil` when the folder is not there.
package enum TestData {
    /// Real frames and the TIFF corpus: `AUTOQC_DATA`, or `../shared/data` beside the package.
    package static let data = folder(variable: "AUTOQC_DATA", fallback: "data")
    /// Golden values of the published system: `AUTOQC_FIXTURES`, or `../shared/fixtures` beside the package.
    package static let fixtures = folder(variable: "AUTOQC_FIXTURES", fallback: "fixtures")

    /// Cases from people's benches: `AUTOQC_CASES`, or `../shared/cases` beside the package; their files lie in `files`.
    package static let cases = folder(variable: "AUTOQC_CASES", fallback: "cases")

    /// Says what a skipped test misses.
    package static let missingCases = "no folder of cases: set AUTOQC_CASES to it"
    /// Says what a skipped test misses.
    package static let missingData = "no folder of real frames: set AUTOQC_DATA to it"
    /// Says what a skipped test misses.
    package static let missingFixtures = "no folder of golden values: set AUTOQC_FIXTURES to it"

    private static func folder(variable: String, fallback: String) -> URL? {
        let path = ProcessInfo.processInfo.environment[variable]
        let url =
            path.map { URL(filePath: $0) }
            ?? packageRoot.appending(path: "../shared/\(fallback)").standardized
        return FileManager.default.fileExists(atPath: url.path) ? url : nil
    }
}

/// Makes an empty folder for one test, hands it over, and removes it whatever happens.
package func withTemporaryFolder<Result>(_ body: (URL) async throws -> Result) async throws -> Result {
    let folder = FileManager.default.temporaryDirectory.appending(path: "autoqc-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    return try await body(folder)
}
