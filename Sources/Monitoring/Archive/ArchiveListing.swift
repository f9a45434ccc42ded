package import Acquisition
import Foundation
package import Plate

/// A part of an archive: the wells that fall to it by a hash of run and well, whatever the order of a list.
package struct Shard: Sendable, Equatable {
    /// Which part, from 1.
    package let number: Int
    /// How many parts there are.
    package let count: Int

    /// The whole archive.
    package static let whole = Shard(number: 1, count: 1)

    private init(number: Int, count: Int) { (self.number, self.count) = (number, count) }

    /// Reads `3/16`; `nil` for anything else.
    package init?(_ text: String) {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false).map { Int($0) }
        guard parts.count == 2, let number = parts[0], let count = parts[1],
            (1...1_000_000).contains(count), (1...count).contains(number)
        else { return nil }
        self.init(number: number, count: count)
    }

    /// Whether the frames of a well fall to this part.
    package func has(_ well: Well, of run: String) -> Bool {
        guard count > 1, let hash = UInt64("\(run)\n\(well)".stableHash, radix: 16) else { return true }
        return hash % UInt64(count) == UInt64(number - 1)
    }

    /// Whether what belongs to no well falls to this part.
    package var hasRest: Bool { number == 1 }
}

/// The files of an archive that are to be judged, and those that are passed over.
package struct ArchiveListing: Sendable {
    /// The frames of each well that falls to the shard, in order of runs, wells and time.
    package let wells: [[LocatedFrame]]
    /// Files that are no frames of a well, each with the reason.
    package private(set) var refused: [(path: String, reason: String)] = []
    /// The folders that hold the files, none inside another.
    package let folders: [String]
    /// Frames of all shards.
    package let frames: Int

    /// Looks through folders, and takes files as they are named; what lies in `output` is passed over.
    package init(
        _ paths: [String],
        pattern: FramePattern,
        choice: PlaneChoice,
        shard: Shard,
        output: String
    ) {
        var (frames, found): (Int, [ExactPath: LocatedFrame]) = (0, [:])
        var refused: [ExactPath: String] = [:]
        var folders: Set<ExactPath> = []
        func add(_ frame: FrameID, _ path: ExactPath, _ source: () -> FrameSource) {
            guard choice.admits(frame.view) else {
                let words = frame.view.words
                refused[path] =
                    "its name tells another channel or z-plane (\(words)) than those that are judged"
                return
            }
            frames += 1
            // Of an archive of millions, only its own files are looked at.
            guard shard.has(frame.well, of: frame.run) else { return }
            found[path] = LocatedFrame(source: source(), frame: frame)
        }
        for path in paths.map(ExactPath.absolute) {
            guard Self.isFolder(path.text) else {
                folders.insert(ExactPath(path.folder))
                guard let frame = pattern.match(path: path.text) else {
                    refused[path] = pattern.refusal
                    continue
                }
                add(frame, path) {
                    FrameSource(
                        root: path.folder,
                        path: String(path.name),
                        identity: FrameListing.identity(of: path.text, followingLink: true)
                    )
                }
                continue
            }
            folders.insert(path)
            FrameListing(roots: [path.text], pattern: pattern, excluded: [output], takesLinkedFiles: true)
                .forEach { entry in
                    switch entry {
                    case .frame(let file):
                        add(file.frame, ExactPath(file.source.absolutePath)) { file.source }
                    case .refused(let path, let reason):
                        if FramePattern.mayBeFrame(path, refusedBecause: reason) {
                            refused[ExactPath(path)] = reason
                        }
                    case .missing: break
                    }
                }
        }
        self.frames = frames
        self.folders = folders.filter { folder in !folders.contains { folder != $0 && folder.isInside($0) } }
            .map(\.text).sorted()
        wells = Dictionary(grouping: found.values) { WellKey(run: $0.frame.run, well: $0.frame.well) }
            .sorted { $0.key < $1.key }
            .map { $1.sorted { ($0.frame, $0.source.place) < ($1.frame, $1.source.place) } }
        if shard.hasRest {
            self.refused = refused.sorted { $0.key < $1.key }.map { ($0.key.text, $0.value) }
        }
    }

    private struct WellKey: Hashable, Comparable {
        let run: String
        let well: Well

        static func < (left: WellKey, right: WellKey) -> Bool {
            (left.run, left.well) < (right.run, right.well)
        }
    }

    /// Whether a path is that of a folder.
    package static func isFolder(_ path: String) -> Bool {
        var isFolder: ObjCBool = false
        return unsafe FileManager.default.fileExists(atPath: path, isDirectory: &isFolder)
            && isFolder.boolValue
    }
}
