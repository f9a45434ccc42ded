import Foundation
import TestSupport
import Testing

/// Links and file names in everything that people read.
struct DocumentationTests {
    private static func files(below folder: String, ending: String) -> [URL] {
        let root = packageRoot.appending(path: folder)
        let all = FileManager.default.enumerator(at: root, includingPropertiesForKeys: nil)
        return (all?.compactMap { $0 as? URL } ?? []).filter { $0.path.hasSuffix(ending) }
    }

    private static let pages =
        [packageRoot.appending(path: "README.md"), packageRoot.appending(path: "CHANGELOG.md")]
        + ["docs", "Sources", "examples", "python"].flatMap { files(below: $0, ending: ".md") }

    /// Lines outside of fenced code.
    private static func lines(of page: URL) throws -> [Substring] {
        var isCode = false
        return try String(contentsOf: page, encoding: .utf8).split(separator: "\n").filter { line in
            if line.hasPrefix("```") { isCode.toggle() }
            return !isCode
        }
    }

    /// The anchors of a page's headings, as GitHub makes them.
    private static func anchors(of page: URL) throws -> Set<String> {
        var anchors: Set<String> = []
        for line in try lines(of: page) where line.hasPrefix("#") {
            let words = line.drop { $0 == "#" }.trimmingCharacters(in: .whitespaces).lowercased()
            let kept = words.filter { $0.isLetter || $0.isNumber || " -_".contains($0) }
            var anchor = kept.replacing(" ", with: "-")
            if anchors.contains(anchor) { anchor += "-1" }
            anchors.insert(anchor)
        }
        return anchors
    }

    @Test func everyLinkLeadsSomewhere() throws {
        #expect(Self.pages.count > 20)
        for page in Self.pages {
            for line in try Self.lines(of: page) {
                for match in line.matches(of: #/\]\(([^)\s]+)\)/#) where !match.1.contains("://") {
                    let parts = match.1.split(separator: "#", maxSplits: 1, omittingEmptySubsequences: false)
                    let target =
                        parts[0].isEmpty
                        ? page
                        : page.deletingLastPathComponent().appending(path: String(parts[0])).standardized
                    let isThere = FileManager.default.fileExists(atPath: target.path)
                    #expect(isThere, "\(page.lastPathComponent): \(match.1)")
                    guard isThere, parts.count > 1, target.pathExtension == "md" else { continue }
                    let anchor = String(parts[1])
                    #expect(
                        try Self.anchors(of: target).contains(anchor),
                        "\(page.lastPathComponent): \(match.1)"
                    )
                }
            }
        }
    }

    @Test func thePagesThatMessagesAndFilesNameAreThere() throws {
        let sources = ["Sources", "Tests", "examples", "packaging", "systemd", "Benchmarks", "python"].flatMap
        {
            Self.files(below: $0, ending: "")
        }
        for file in sources + [packageRoot.appending(path: "Makefile")] {
            guard let text = try? String(contentsOf: file, encoding: .utf8) else { continue }
            for match in text.matches(of: #/\b(docs\/[A-Za-z0-9-]+\.md)(#[a-z0-9-]+)?/#) {
                let page = packageRoot.appending(path: String(match.1))
                let isThere = FileManager.default.fileExists(atPath: page.path)
                #expect(isThere, "\(file.path) names \(match.1)")
                guard isThere, let anchor = match.2 else { continue }
                #expect(
                    try Self.anchors(of: page).contains(String(anchor.dropFirst())),
                    "\(file.path) names \(match.0)"
                )
            }
        }
    }
}
