import Glibc

/// All that one watcher works by.
struct WatchPlan: Sendable {
    /// Absolute, none inside another.
    let roots: [ExactPath]
    let pattern: FramePattern
    let options: FolderWatcher.Options
    let excluded: [ExactPath]
    /// The clock of file times when the watcher was made.
    let started = FileSystem.now(CLOCK_REALTIME_COARSE)
    let isWhole: @Sendable (String) -> Wholeness
    let known: FolderWatcher.Known
    let hasRoomForOld: @Sendable () -> Bool
    /// How many folders this watcher may watch; the machine's own limit may be lower.
    let watchLimit: Int
    /// Hashes kept in one generation of what was told.
    let memory: Int
    /// Events that may wait for the reader.
    let mostUnread: Int
    /// Names that may wait to be checked or told; more stay on disk.
    let mostCandidates: Int

    /// Makes paths absolute and drops roots that others contain.
    init(
        roots: [String],
        pattern: FramePattern,
        options: FolderWatcher.Options,
        watchLimit: Int = .max,
        memory: Int = 1 << 20,
        mostUnread: Int = 4096,
        mostCandidates: Int = 65_536,
        known: @escaping FolderWatcher.Known = { _ in },
        hasRoomForOld: @escaping @Sendable () -> Bool = { true },
        isWhole: @escaping @Sendable (String) -> Wholeness
    ) {
        let all = roots.map(FileSystem.absolute)
        self.roots = all.enumerated().filter { index, root in
            !all.enumerated().contains { other, folder in
                root.isInside(folder) && (root != folder || other < index)
            }
        }.map(\.element)
        self.pattern = pattern
        self.options = options
        excluded = options.excluded.map(FileSystem.absolute)
        self.isWhole = isWhole
        self.known = known
        self.hasRoomForOld = hasRoomForOld
        self.watchLimit = watchLimit
        self.memory = memory
        self.mostUnread = mostUnread
        self.mostCandidates = mostCandidates
    }
}
