package import Plate

/// The names of the TIFF files in some folders, to see which pattern fits them.
package struct PatternSurvey: Sendable {
    private struct Name {
        /// Path below its folder.
        let relative: String
        let rootName: String
    }

    private let names: [Name]
    /// Names that are looked at, at most.
    private static let most = 10_000

    /// Looks through folders and what lies below them, but for hidden and excluded ones.
    package init(folders: [String], excluded: [String] = []) {
        let excluded = Set(excluded.map(ExactPath.absolute))
        var names: [Name] = []
        for root in folders.map(ExactPath.absolute) {
            var waiting = [(path: root, relative: "")]
            while names.count < Self.most, let folder = waiting.popLast() {
                let isRoot = folder.relative.isEmpty
                let entries = (try? FileSystem.entries(of: folder.path, followingLink: isRoot)) ?? []
                for entry in entries {
                    guard let name = String(validating: entry.name, as: UTF8.self),
                        !FramePattern.isIgnored(Substring(name))
                    else { continue }
                    let path = folder.path.appending(name)
                    let relative = isRoot ? name : folder.relative + "/" + name
                    let kind = entry.kind == .unknown ? (try? FileSystem.status(path))?.kind : entry.kind
                    if kind == .folder, !excluded.contains(path) { waiting.append((path, relative)) }
                    if kind == .file, FramePattern.looksLikeFrame(name), names.count < Self.most {
                        names.append(Name(relative: relative, rootName: String(root.name)))
                    }
                }
            }
        }
        self.names = names.sorted { ExactPath($0.relative) < ExactPath($1.relative) }
    }

    /// TIFF files that were found; no more than ten thousand are looked at.
    package var count: Int { names.count }

    /// What a pattern makes of the names.
    package struct Fit: Sendable {
        /// Names that it reads.
        package fileprivate(set) var frames = 0
        /// Names that it passes over.
        package fileprivate(set) var passedOver = 0
        /// The first name that it refuses, safe to print.
        package fileprivate(set) var refused: String?
    }

    /// How many names a pattern reads.
    package func fit(_ pattern: FramePattern) -> Fit {
        names.reduce(into: Fit()) { fit, name in
            switch pattern.read(relativePath: name.relative, rootName: name.rootName) {
            case .frame: fit.frames += 1
            case .ignored: fit.passedOver += 1
            case .refused: fit.refused = fit.refused ?? printableName(name.relative)
            }
        }
    }

    /// Some of the names that a pattern reads, spread over all of them, and what it reads; names are safe to print.
    package func examples(_ pattern: FramePattern, atMost most: Int) -> [(name: String, frame: FrameID)] {
        let read = names.compactMap { name in
            pattern.match(relativePath: name.relative, rootName: name.rootName).map {
                (printableName(name.relative), $0)
            }
        }
        let count = min(most, read.count)
        return (0..<count).map { read[$0 * read.count / count] }
    }
}
