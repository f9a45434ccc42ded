import Plate

/// One watcher's state and logic, confined to the acquisition thread.
///
/// Notifications come in through `receive`; listings and checks are done in slices by `work`. While folders
/// wait to be listed no file is checked, so that a listing is told in order of time.
final class Collector {
    struct Folder {
        let root: ExactPath
        /// Path below the root, empty for the root itself.
        let relative: String
        /// Number of its watch; a folder without one is looked through again and again.
        var watch: Int32?
        /// Whether what others write to it may come without an event.
        var isShared = false
        /// The rescan that has confirmed it.
        var scan: Int
    }

    struct Candidate {
        let root: ExactPath
        let relative: String
        let frame: FrameID
        var found: FrameFile.Discovery
        /// Whether the time of writing alone may show that nobody writes any more.
        var trustsTime: Bool
        /// Whether it lay there at the start; then it waits for room, and what came since does not wait for it.
        let isEarly: Bool
        /// Frames of it that were told, while others are missing.
        var framesTold = 0
        /// What was seen at the last look, and since when it is the same.
        var identity: FileIdentity?
        var since: ContinuousClock.Instant
        var pause: Duration
        var due: ContinuousClock.Instant
    }

    /// What a folder that is looked through again and again held when its files were looked at last.
    struct Look {
        /// Hashes of the names whose files were told as they were.
        var told: Set<Int> = []
        /// When the files are looked at again; until then their names are enough.
        var due = ContinuousClock.now

        static func key(_ name: [UInt8]) -> Int { name.hashValue }
    }

    let plan: WatchPlan
    let notifications: FolderNotifications
    /// Tells an event; `false` where the reader is so far behind that it has to be told again later.
    private let offer: (AcquisitionEvent) -> Bool
    private let finish: () -> Void

    var folders: [ExactPath: Folder] = [:]
    var pathOfWatch: [Int32: ExactPath] = [:]
    var polled: Set<ExactPath> = []
    var looks: [ExactPath: Look] = [:]
    var missing: Set<ExactPath> = []
    var pollDue: ContinuousClock.Instant?
    var toList: [ExactPath] = []
    var queued: [ExactPath: Folder] = [:]
    var scan = 0
    var isFirstListing = true
    /// Frames that lay there in the first listing, and in the rescan that is going on.
    var listed = 0
    var rescanned: Int?

    var candidates: [ExactPath: Candidate] = [:]
    /// Of them, those that may still be written to: they were listed soon after they were written.
    var settling: Set<ExactPath> = []
    /// Whether files were passed over because too many wait; then the folders are looked through again.
    var hasLeftOut = false
    /// What happened to the watching itself and is not told yet.
    private var untold: [AcquisitionEvent] = []
    /// Files to check now, the last one first.
    var batch: [ExactPath] = []
    /// Not before this moment is a file checked: the reader had no room, for it or for any.
    var checksDue: ContinuousClock.Instant?
    /// What was told, or known before the first listing.
    var told: RecentSet<Told>
    /// Frames that lay there in the first listing and were known before.
    var knownCount = 0
    var refused: RecentSet<ExactPath>

    struct Told: Hashable {
        let identity: FileIdentity
        let frame: FrameID
    }

    /// When a reader that is behind is tried again.
    static let patience = Duration.milliseconds(100)

    /// How long one slice of work may take before events are read again.
    private static let slice = Duration.milliseconds(10)

    init(
        _ plan: WatchPlan,
        _ notifications: FolderNotifications,
        offer: @escaping (AcquisitionEvent) -> Bool,
        finish: @escaping () -> Void
    ) {
        self.plan = plan
        self.notifications = notifications
        self.offer = offer
        self.finish = finish
        refused = RecentSet(generation: plan.memory)
        var known = RecentSet<Told>(generation: plan.memory)
        plan.known { known.insert(Told(identity: $0, frame: $1)) }
        told = known
        for root in plan.roots { enqueue(root, Folder(root: root, relative: "", watch: nil, scan: -1)) }
    }

    func receive(_ notification: FolderNotification, _ now: ContinuousClock.Instant) {
        guard let path = pathOfWatch[notification.watch], let folder = folders[path] else { return }
        switch notification.kind {
        case .folderGone:
            remove(path, now)
            if folder.relative.isEmpty { enqueue(path, folder) }
        case .folderMoved:
            leave(path, now)
            if folder.relative.isEmpty { enqueue(path, folder) }
        case .movedAway:
            guard notification.isFolder, let name = validName(notification.name, in: path) else { return }
            leave(path.appending(name), now)
        case .closed, .moved, .created:
            guard let name = validName(notification.name, in: path) else { return }
            guard notification.isFolder else {
                return receiveFile(name, notification.kind, path, folder, now)
            }
            // A folder that was renamed over another one is not the one that is known by this name.
            if notification.kind == .moved { leave(path.appending(name), now) }
            discover(name, in: path, folder)
        }
    }

    /// Whether a file of the first listing was known before: none is told until that is done.
    func isKnown(_ status: FileSystem.Status?, _ frame: FrameID) -> Bool {
        guard !told.isEmpty, let status else { return false }
        return told.contains(Told(identity: status.identity, frame: frame))
    }

    private func receiveFile(
        _ name: String,
        _ kind: FolderNotification.Kind,
        _ path: ExactPath,
        _ folder: Folder,
        _ now: ContinuousClock.Instant
    ) {
        switch kind {
        case .closed: consider(name, path, folder, .closed, now)
        case .moved: consider(name, path, folder, .moved, now)
        default:
            // A new name for a file that was finished before (a hard link) comes without a close.
            guard let status = try? FileSystem.status(path.appending(name)) else { return }
            let isLinked = status.links > 1 || status.changed != status.identity.modified
            if status.kind == .file {
                if isLinked { consider(name, path, folder, .listed, now) }
            } else {
                refuse(name, in: path, status.kind)
            }
        }
    }

    /// Does a slice of what waits; returns when the next one is due.
    func work() -> ContinuousClock.Instant? {
        let end = ContinuousClock.now + Self.slice
        var now = ContinuousClock.now
        pollIfDue(now)
        tellUntold()
        lookAgainIfLeftOut()
        while now < end {
            if let path = toList.popLast() {
                if let folder = queued.removeValue(forKey: path) { list(path, folder, now) }
            } else {
                finishListing(now)
                if let due = checksDue {
                    guard now >= due else { return due }
                    checksDue = nil
                    batch += dueNow(now) { !$0.isEarly }
                }
                if batch.isEmpty { batch = dueNow(now) }
                guard let path = batch.popLast() else { break }
                check(path, now)
            }
            now = .now
        }
        // A listing that took the whole slice is still to be told.
        guard toList.isEmpty, batch.isEmpty, !isFirstListing, rescanned == nil else { return now }
        if pollDue == nil && !(polled.isEmpty && missing.isEmpty) {
            pollDue = now + plan.options.pollInterval
        }
        let due = candidates.values.lazy.map(\.due).min()
        if due == nil && hasLeftOut { return now }
        return [due, pollDue, untold.isEmpty ? nil : now + Self.patience].compactMap(\.self).min()
    }

    /// Tells what became of a file; `false` where it has to be told again later.
    func tellFile(_ event: AcquisitionEvent) -> Bool {
        untold.isEmpty && offer(event)
    }

    /// Tells what happened to the watching itself, at once or as soon as the reader has room.
    func tell(_ event: AcquisitionEvent) {
        untold.append(event)
        tellUntold()
    }

    private func tellUntold() {
        while let event = untold.first, offer(event) { untold.removeFirst() }
    }

    private func lookAgainIfLeftOut() {
        guard hasLeftOut, candidates.count <= plan.mostCandidates / 2 else { return }
        hasLeftOut = false
        for (path, folder) in folders { enqueue(path, folder) }
    }

    func end(_ now: ContinuousClock.Instant) {
        for watch in folders.values.compactMap(\.watch) { notifications.release(watch, now: now) }
        finish()
    }

    /// Says once why a file or folder is not taken.
    func refuse(_ printablePath: String, _ reason: String) {
        let cause = ExactPath(printablePath + "\n" + reason)
        // What cannot be told now is found again when the folders are looked through.
        if !refused.contains(cause), tellFile(.skipped(path: printablePath, reason: reason)) {
            refused.insert(cause)
        }
    }

    /// Says what does not work as it should, once for each cause.
    func degrade(_ cause: String, _ reason: String) {
        if refused.insert(ExactPath(cause)) { tell(.degraded(reason: reason)) }
    }

    /// The name as text, or `nil` after having said why it is not taken.
    func validName(_ name: [UInt8], in folder: ExactPath) -> String? {
        guard let text = String(validating: name, as: UTF8.self) else {
            let path = printableName(folder.text) + "/" + printableName(name)
            refuse(path, "the name is not UTF-8")
            return nil
        }
        return text
    }
}

/// Remembers the latest values that went through, in bounded memory.
///
/// Keeps 64-bit hashes in two generations; when the younger is full it becomes the older and the oldest half
/// is forgotten. A million hashes a generation cost at most about 2 x 16 MiB and, at eight frames a second,
/// reach back a day and a half. What is forgotten and still lies there is reported again after a rescan:
/// whoever keeps the ledger recognises it. Two values share a hash once in 10^13 questions.
struct RecentSet<Value: Hashable> {
    private var young: Set<Int> = []
    private var old: Set<Int> = []
    private let generation: Int

    /// An empty set that remembers between one and two times so many values.
    init(generation: Int = 1 << 20) {
        precondition(generation > 0, "a generation of \(generation) values")
        self.generation = generation
    }

    var isEmpty: Bool { young.isEmpty }

    func contains(_ value: Value) -> Bool {
        young.contains(value.hashValue) || old.contains(value.hashValue)
    }

    /// Remembers the value; `false` where it was remembered already.
    @discardableResult
    mutating func insert(_ value: Value) -> Bool {
        guard !contains(value) else { return false }
        if young.count >= generation {
            old = young
            young = []
        }
        young.insert(value.hashValue)
        return true
    }
}
