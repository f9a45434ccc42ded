package import Files
import Foundation
package import Plate
import Synchronization

/// What a person who looked at a frame, or at a whole well, says of its verdict.
///
/// Decisions are added and never changed; of those on the same frame or well the last one counts. A decision on a well
/// holds for each flagged frame of it that has none of its own.
package struct Decision: Sendable, Equatable {
    /// What was decided.
    package enum Kind: String, Sendable, CaseIterable, Codable {
        /// The frame is faulty indeed.
        case fault
        /// The frame is normal although it was flagged.
        case falseAlarm = "false-alarm"
        /// It cannot be told; the frame is no example of either.
        case unsure
        /// An earlier decision is taken back.
        case withdrawn
    }

    /// Longest note, in characters.
    package static let longestNote = 1000
    /// Longest name of a reviewer, in characters.
    package static let longestName = 80

    /// Name of the run.
    package let run: String
    /// The well.
    package let well: Well
    /// What the frame shows of the well.
    package let view: FrameView
    /// The frame's place in time; `nil` for the whole well.
    package let frame: Int?
    /// Which of the files that say this frame was decided on, by `FrameSource.key`; empty for the only one.
    package let file: String
    /// What was decided.
    package let kind: Kind
    /// The reviewer's words; may be empty.
    package let note: String
    /// Who decided, as they call themselves.
    package let reviewer: String
    /// When.
    package let decided: Timestamp

    /// Gathers a decision; note and name are cut to their longest length.
    package init(
        run: String,
        well: Well,
        view: FrameView = .only,
        frame: Int?,
        file: String = "",
        kind: Kind,
        note: String,
        reviewer: String,
        decided: Timestamp
    ) {
        self.run = run
        self.well = well
        self.view = view
        self.frame = frame
        self.file = file
        self.kind = kind
        self.note = String(note.prefix(Self.longestNote))
        self.reviewer = String(reviewer.prefix(Self.longestName))
        self.decided = decided
    }

    /// The frame that was decided on; `nil` for the whole well.
    package var id: FrameID? { frame.map { FrameID(run: run, well: well, view: view, index: $0) } }
}

/// What reviewers decided on the frames of an output folder, `OUT/decisions.jsonl`.
///
/// **Format.** UTF-8, one JSON object and a newline for each decision, append-only, fsynced. Its members are `decided` (UTC, ms),
/// `run`, `well` (`B01`), `view`, `frame` (missing for a whole well), `file`, `decision`, `note`, `reviewer`. Lines that are none are
/// passed over. Several processes may append. The file is its group's to write: the page writes it, and nothing else, under a
/// user of its own.
package final class DecisionLog: Sendable {
    private struct Line: Codable {
        let decided: String
        let run: String
        let well: String
        let view: String
        let frame: Int?
        let file: String
        let decision: Decision.Kind
        let note: String
        let reviewer: String
    }

    /// Tells one state of the file from another.
    private struct Stamp: Equatable {
        let inode: UInt64
        let size: Int
        let seconds: Int
        let nanoseconds: Int
    }

    /// Of the same frame or well.
    private struct Subject: Hashable {
        let run: String
        let well: Well
        let view: FrameView
        let frame: Int?
        let file: String
    }

    /// A larger file is refused: some hundred thousand decisions.
    private static let largest = 64 << 20
    private static let mode: UInt32 = 0o660

    private let path: String
    private let folder: String
    private let known = Mutex<(stamp: Stamp, decisions: [Decision])?>(nil)

    /// The log of an output folder; nothing is made or read yet.
    package init(_ tree: OutputTree) {
        (path, folder) = (tree.decisions, tree.root)
    }

    /// Makes the file where it is missing, and lets its group write it.
    package static func prepare(_ tree: OutputTree) throws(OutputError) {
        let file = try Durable.Handle(tree.decisions, flags: O_RDWR | O_CREAT | O_NOFOLLOW, mode: mode)
        // The process's mask of permissions may have left the group out; a file of another user stays as it is.
        _ = fchmod(file.descriptor, mode)
    }

    /// Whether this process may add decisions.
    package var isWritable: Bool {
        guard unsafe access(path, F_OK) == 0 else { return unsafe access(folder, W_OK) == 0 }
        return unsafe access(path, W_OK) == 0
    }

    /// Adds a decision, durable when this returns.
    package func add(_ decision: Decision) throws(OutputError) {
        let line = Line(
            decided: decision.decided.iso8601,
            run: decision.run,
            well: decision.well.description,
            view: decision.view.description,
            frame: decision.frame,
            file: decision.file,
            decision: decision.kind,
            note: decision.note,
            reviewer: decision.reviewer
        )
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.withoutEscapingSlashes, .sortedKeys]
        guard let bytes = try? encoder.encode(line) else {
            throw OutputError("encode a decision for", path, detail: "it is no text", code: .notUsable)
        }
        // Held until the line is there: another process may be about to cut off what a crash left half-written.
        let lock = try Durable.Handle(path, flags: O_RDWR | O_CREAT | O_NOFOLLOW, mode: Self.mode)
        guard flock(lock.descriptor, LOCK_EX) == 0 else { throw OutputError("lock", path, errno: errno) }
        try LineFile(path).append([String(decoding: bytes, as: UTF8.self)])
        withExtendedLifetime(lock) {}
    }

    /// The decisions that count: the last one on each frame and each well, without those taken back, in the order of
    /// wells and time.
    package func decisions(run: String? = nil, well: Well? = nil) throws(OutputError) -> [Decision] {
        try all().filter { (run ?? $0.run) == $0.run && (well ?? $0.well) == $0.well }
    }

    private func all() throws(OutputError) -> [Decision] {
        guard let stamp = Self.stamp(of: path) else { return [] }
        if let known = known.withLock({ $0 }), known.stamp == stamp { return known.decisions }
        guard stamp.size <= Self.largest else {
            throw OutputError("read", path, detail: "it has \(stamp.size) bytes", code: .notUsable)
        }
        let file = try Durable.Handle(path, flags: O_RDONLY | O_NOFOLLOW)
        let decisions = Self.last(of: try file.read(at: 0, count: stamp.size))
        known.withLock { $0 = (stamp, decisions) }
        return decisions
    }

    private static func last(of bytes: [UInt8]) -> [Decision] {
        let decoder = JSONDecoder()
        var last: [Subject: Decision] = [:]
        for line in bytes.split(separator: UInt8(ascii: "\n")) {
            guard let line = try? decoder.decode(Line.self, from: Data(line)), let decision = decision(line)
            else { continue }
            last[subject(decision)] = decision
        }
        return last.values.filter { $0.kind != .withdrawn }.sorted { order($0) < order($1) }
    }

    private static func subject(_ decision: Decision) -> Subject {
        Subject(
            run: decision.run,
            well: decision.well,
            view: decision.view,
            frame: decision.frame,
            file: decision.file
        )
    }

    private static func order(_ decision: Decision) -> (String, String, String, Int, String) {
        (
            decision.run, decision.well.description, decision.view.description, decision.frame ?? -1,
            decision.file
        )
    }

    private static func decision(_ line: Line) -> Decision? {
        guard let well = Well(line.well), let view = FrameView(line.view),
            let decided = Timestamp(iso8601: line.decided),
            line.frame.map(FrameID.indices.contains) ?? true
        else { return nil }
        return Decision(
            run: line.run,
            well: well,
            view: view,
            frame: line.frame,
            file: line.file,
            kind: line.decision,
            note: line.note,
            reviewer: line.reviewer,
            decided: decided
        )
    }

    private static func stamp(of path: String) -> Stamp? {
        var status = stat()
        guard unsafe stat(path, &status) == 0 else { return nil }
        return Stamp(
            inode: UInt64(status.st_ino),
            size: Int(status.st_size),
            seconds: status.st_mtim.tv_sec,
            nanoseconds: status.st_mtim.tv_nsec
        )
    }
}
