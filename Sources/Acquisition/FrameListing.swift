package import Plate

/// The frames that lie in folders now, by the watcher's own rules, for whoever asks once and does not watch.
///
/// Hidden folders, temporary names and what `excluded` names are passed over. Links are not followed, but for the roots
/// themselves and, where that is asked for, links to files.
package struct FrameListing: Sendable {
    /// Something that lies there.
    package enum Entry: Sendable, Equatable {
        /// A frame or movie, whole or not.
        case frame(LocatedFrame)
        /// A file that is no frame, a name or a folder that cannot be read; both texts are safe to print.
        case refused(path: String, reason: String)
        /// The root itself is not there.
        case missing(root: String)
    }

    private let roots: [ExactPath]
    private let pattern: FramePattern
    private let excluded: Set<ExactPath>
    private let takesLinkedFiles: Bool

    /// Lists `roots` with their subfolders; paths are made absolute.
    package init(
        roots: [String],
        pattern: FramePattern,
        excluded: [String] = [],
        takesLinkedFiles: Bool = false
    ) {
        self.takesLinkedFiles = takesLinkedFiles
        self.roots = roots.map(ExactPath.absolute)
        self.pattern = pattern
        self.excluded = Set(excluded.map(ExactPath.absolute))
    }

    /// Hands over everything that lies there, in no order; files that vanish meanwhile are passed over.
    package func forEach(_ body: (Entry) -> Void) {
        for root in roots { list(root, body) }
    }

    /// The content that a file has now; `nil` where there is no regular file.
    package static func identity(of path: String, followingLink: Bool = false) -> FileIdentity? {
        guard let status = try? FileSystem.status(ExactPath(path), followingLink: followingLink),
            status.kind == .file
        else { return nil }
        return status.identity
    }

    private func list(_ root: ExactPath, _ body: (Entry) -> Void) {
        func refuse(_ path: String, _ reason: String) { body(.refused(path: path, reason: reason)) }
        var waiting = [(path: root, relative: "")]
        while let folder = waiting.popLast() {
            let isRoot = folder.relative.isEmpty
            do {
                let entries = try FileSystem.entries(of: folder.path, followingLink: isRoot, withStatus: true)
                for entry in entries {
                    guard let name = String(validating: entry.name, as: UTF8.self) else {
                        let path = printableName(folder.path.text) + "/" + printableName(entry.name)
                        refuse(path, "the name is not UTF-8")
                        continue
                    }
                    let path = folder.path.appending(name)
                    let relative = isRoot ? name : folder.relative + "/" + name
                    guard let status = entry.status ?? (try? FileSystem.status(path)) else { continue }
                    switch status.kind {
                    case .folder:
                        if !name.utf8.starts(with: ".".utf8), !excluded.contains(path) {
                            waiting.append((path, relative))
                        }
                    case .file: report(relative, path, root, status.identity, body)
                    case .link where takesLinkedFiles:
                        // Engines hand files over as links; a folder could be its own.
                        guard let identity = Self.identity(of: path.text, followingLink: true) else { break }
                        report(relative, path, root, identity, body)
                    default:
                        guard !FramePattern.isIgnored(Substring(name)) else { continue }
                        refuse(printableName(path.text), "is not a regular file")
                    }
                }
            } catch  where error.isAbsence {
                if isRoot { body(.missing(root: printableName(root.text))) }
            } catch {
                refuse(printableName(folder.path.text), "cannot be listed: \(error.reason)")
            }
        }
    }

    private func report(
        _ relative: String,
        _ path: ExactPath,
        _ root: ExactPath,
        _ identity: FileIdentity,
        _ body: (Entry) -> Void
    ) {
        switch pattern.read(relativePath: relative, rootName: String(root.name)) {
        case .ignored: break
        case .refused(let reason): body(.refused(path: printableName(path.text), reason: reason))
        case .frame(let frame):
            let source = FrameSource(root: root.text, path: relative, identity: identity)
            body(.frame(LocatedFrame(source: source, frame: frame)))
        }
    }
}

/// A file on disk that is a complete frame.
package struct FrameFile: Sendable, Equatable {
    /// How the file was found.
    package enum Discovery: String, Sendable {
        /// Its writer closed it.
        case closed
        /// It was renamed or moved to its place.
        case moved
        /// It lay there when its folder was looked through.
        case listed
    }

    /// Where it lies, with the content that was checked.
    package let source: FrameSource
    /// The frame that its name tells.
    package let frame: FrameID
    /// When it was found to be complete (for an abandoned file: when it was given up).
    package let completed: Timestamp
    /// How it was found.
    package let found: Discovery
    /// Whether some of its frames have not been written yet; it is told again when there are more, or when they do not come.
    package var isGrowing = false

    /// Gathers what is known of it.
    package init(
        source: FrameSource,
        frame: FrameID,
        completed: Timestamp,
        found: Discovery,
        isGrowing: Bool = false
    ) {
        (self.source, self.frame, self.completed) = (source, frame, completed)
        (self.found, self.isGrowing) = (found, isGrowing)
    }

    /// Absolute path.
    package var path: String { source.absolutePath }

    /// Whether it may hold something else although it looks as before: somebody closed it or renamed it.
    package var mayHoldNews: Bool { found != .listed }

    /// When it was last written; without a content to say so, when it was complete.
    package var modified: Timestamp { source.identity?.modified ?? completed }
}

/// Whether a file has all of its parts, as its format tells.
package enum Wholeness: Sendable, Equatable {
    /// All parts are there.
    case whole
    /// So many of its frames are there, at least one; the sentence says what is missing.
    case growing(frames: Int, String)
    /// Parts are missing, as in a file that is still being written; the sentence says which.
    case incomplete(String)
    /// All parts are there, but the last ones are zeros, as of room that was made and is filled later; the sentence says which.
    case unfilled(String)
    /// It cannot be looked at now, whatever it holds; the sentence says why.
    case unreachable(String)
    /// More bytes would not mend it, and the sentence says why; it is delivered, and its reader refuses it.
    case damaged(String)
}
