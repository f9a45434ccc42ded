package import Plate

/// Finds complete frames in folders and everything below them, while they are written, and tells each once.
///
/// Watching begins with `init` and ends with `stop()`, with the end of whoever reads `events`, or with the
/// watcher itself. All watchers of a process share one thread of their own, which owns libinotifytools; it
/// never waits for the reader of `events`.
///
/// - A new folder is first watched and then listed, so nothing falls between; a file that is seen both ways
///   is one event. A frame is told again only if its content changes (size, time or inode) or a new name makes
///   it another frame.
/// - A file is taken when it is closed by its writer or moved to its place, and whole; an incomplete one is
///   looked at again with growing pauses. A file that was only found must also stay the same for a while.
/// - Symbolic links are never followed, save the roots themselves; hidden folders are not entered.
/// - Memory is bounded but for the folders: of what the reader has not taken, some thousand events and some ten
///   thousand names are kept; the rest stays on disk and is found by looking through the folders again, once
///   the reader catches up. What was told or known is remembered as 8-byte hashes of at most the last two million
///   frames (about 32 MiB).
package final class FolderWatcher: Sendable {
    /// What the watcher finds, for one reader: in order of discovery, each listing by run, well and time.
    package let events: AsyncStream<AcquisitionEvent>
    /// Hands over frames by content and name, one call of `add` each.
    package typealias Known = @Sendable (_ add: (FileIdentity, FrameID) -> Void) -> Void

    private let collector: AcquisitionThread.CollectorID

    /// Watches folders from now on.
    ///
    /// - Parameters:
    ///   - roots: Folders to watch; one inside another is part of the other. They need not be there yet.
    ///   - pattern: Tells frames by their names.
    ///   - options: What is taken and how patiently.
    ///   - known: Hands over the frames that need not be told if they lie there at the start with the same content. Called
    ///     once on the watcher's thread before the first listing; only the last two million are kept.
    ///   - hasRoomForOld: Whether files that were written before the start may be told now. Otherwise they wait, and others
    ///     go before them. Called on the watcher's thread for each of them.
    ///   - isWhole: Whether the file at a path has all its parts. Called on the watcher's thread, often for
    ///     files that are being written: it must be quick and must not wait.
    package convenience init(
        roots: [String],
        pattern: FramePattern,
        options: Options = Options(),
        known: @escaping Known = { _ in },
        hasRoomForOld: @escaping @Sendable () -> Bool = { true },
        isWhole: @escaping @Sendable (_ path: String) -> Wholeness
    ) {
        self.init(
            WatchPlan(
                roots: roots,
                pattern: pattern,
                options: options,
                known: known,
                hasRoomForOld: hasRoomForOld,
                isWhole: isWhole
            )
        )
    }

    /// The kind of network share that a folder lies on, if it may not tell what other machines write; `nil` for a local one.
    package static func shareName(of folder: String) -> String? {
        FileSystem.shareName(of: ExactPath(folder))
    }

    /// Watches as planned.
    init(_ plan: WatchPlan) {
        let (stream, continuation) = AsyncStream.makeStream(
            of: AcquisitionEvent.self,
            bufferingPolicy: .bufferingOldest(plan.mostUnread)
        )
        let id = AcquisitionThread.shared.start(plan, continuation)
        continuation.onTermination = { _ in AcquisitionThread.shared.stop(id) }
        events = stream
        collector = id
    }

    deinit { stop() }

    /// Takes no more files and ends `events` behind those that were told; may be called more than once.
    package func stop() {
        AcquisitionThread.shared.stop(collector)
    }
}
