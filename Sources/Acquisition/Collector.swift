import Plate

/// State and logic of one watched folder, the root, and all that lies below it; confined to a thread of its own.
///
/// Notifications come in through `receive`; listings and checks are done in slices by `work`. While folders
/// wait to be listed no file is checked, so that a listing is told in order of time. Whatever does not answer on the root's file
/// system stops this thread only.
final class Collector {
    struct Folder {
        /// Path below the root, empty for the root itself.
        let relative: String
        /// Which folder the path named when it was looked at last.
        var place: FileSystem.Place?
        /// Number of its watch; a folder without one is looked through again and again.
        var watch: Int32?
        /// Whether what others write to it may come without an event.
        var isShared = false
        /// The rescan that has confirmed it.
        var scan: Int
    }

    struct Candidate {
        let relative: String
        let frame: FrameID
        var found: FrameFile.Discovery
        /// Whether the time of writing alone may show that nobody writes any more.
        var trustsTime: Bool
        /// Whether it lay there at the start; then it waits for room, and what came since does not wait for it.
        let isEarly: Bool
        /// Whether its writer was not seen to close it: some servers keep files open that they have long written.
        var isOpen = false
        /// Frames of it that were told, while others are missing.
        var framesTold = 0
        /// Whether another write after the last look would show in its times.
        var isCertain = false
        /// Why it waits, as it was told.
        var reasonTold: String?
        /// What was seen at the last look, and since when it is the same.
        var identity: FileIdentity?
        var since: ContinuousClock.Instant
        var pause: Duration
        var due: ContinuousClock.Instant
    }

    /// Frames that are told in the order of their time.
    struct Series: Hashable {
        let run: String
        let well: Well
        let view: FrameView

        init(_ frame: FrameID) { (run, well, view) = (frame.run, frame.well, frame.view) }
    }

    /// What a folder that is looked through again and again held when its files were looked at last.
    struct Look {
        /// Hashes of the names whose files were told as they were.
        var told: Set<Int> = []
        /// When the files are looked at again; until then their names are enough.
        var due = ContinuousClock.now

        static func key(_ name: [UInt8]) -> Int { name.hashValue }
    }

    let root: ExactPath
    let plan: WatchPlan
    let mailbox: Mailbox
    let sign: RootSign
    /// Tells an event; `false` where the reader is so far behind that it has to be told again later.
    private let offer: (AcquisitionEvent) -> Bool

    var folders: [ExactPath: Folder] = [:]
    var pathOfWatch: [Int32: ExactPath] = [:]
    var polled: Set<ExactPath> = []
    var looks: [ExactPath: Look] = [:]
    /// Whether the root is not there, and whether that was told.
    var isMissing = false
    /// Which folder the root's path named last.
    var rootPlace: FileSystem.Place?
    var pollDue = ContinuousClock.now
    /// Hash of what was mounted at the last look.
    var mounts: Int?
    var toList: [ExactPath] = []
    var queued: [ExactPath: Folder] = [:]
    var scan = 0
    var isFirstListing = true
    /// Frames that lay there in the first listing, and in the rescan that is going on.
    var listed = 0
    var rescanned: Int?

    var candidates: [ExactPath: Candidate] = [:]
    /// Of them, those that may still be written to: they were listed soon after they were written.
    var settling: [Series: Set<ExactPath>] = [:]
    /// Whether files were passed over because too many wait; then the folders are looked through again.
    var hasLeftOut = false
    /// What happened to the watching itself and is not told yet.
    private var untold: [AcquisitionEvent] = []
    /// Files to check now, the last one first.
    var batch: [ExactPath] = []
    /// Not before this moment is a file checked: the reader had no room, for it or for any.
    var checksDue: ContinuousClock.Instant?
    /// What was told, or known before the first listing.
    let told: ToldFrames
    /// Frames that lay there in the first listing and were known before.
    var knownCount = 0
    var refused: RecentSet<ExactPath>

    /// When a reader that is behind is tried again.
    static let patience = Duration.milliseconds(100)

    /// How long one slice of work may take before events are read again.
    private static let slice = Duration.milliseconds(10)

    init(
        _ root: ExactPath,
        _ plan: WatchPlan,
        mailbox: Mailbox,
        sign: RootSign,
        told: ToldFrames,
        offer: @escaping (AcquisitionEvent) -> Bool
    ) {
        (self.root, self.plan, self.mailbox, self.sign, self.told) = (root, plan, mailbox, sign, told)
        self.offer = offer
        refused = RecentSet(generation: plan.memory)
        enqueueRoot()
    }

    /// Works until it is told to stop.
    func run() {
        NotificationThread.shared.join(mailbox)
        told.load()
        var due: ContinuousClock.Instant? = .now
        while true {
            let mail = mailbox.take(waitingUntil: due)
            if mail.isStopped { break }
            sign.begins()
            let now = ContinuousClock.now
            if mail.isBroken { watchesBroke() } else if mail.hasLost { rescan() }
            for notification in mail.notifications { receive(notification, now) }
            for file in mail.again { lookAgain(file, now) }
            due = work()
            sign.rests()
        }
        NotificationThread.shared.leave(mailbox)
    }

    private func receive(_ notification: FolderNotification, _ now: ContinuousClock.Instant) {
        guard let path = pathOfWatch[notification.watch], let folder = folders[path] else { return }
        switch notification.kind {
        case .folderGone:
            // The path may name another folder now, as the one that something was mounted over.
            remove(path)
            enqueue(path, Folder(relative: folder.relative, watch: nil, scan: -1))
        case .folderMoved:
            // This may come after the folder was found under its new name, which is then looked at once more.
            leave(path)
            enqueue(path, Folder(relative: folder.relative, watch: nil, scan: -1))
        case .movedAway:
            guard notification.isFolder, let name = validName(notification.name, in: path) else { return }
            leave(path.appending(name))
        case .closed, .moved, .created:
            guard let name = validName(notification.name, in: path) else { return }
            guard notification.isFolder else {
                return receiveFile(name, notification.kind, path, folder, now)
            }
            // A folder that was renamed over another one is not the one that is known by this name.
            if notification.kind == .moved { leave(path.appending(name)) }
            discover(name, in: path, folder)
        }
    }

    /// Whether a file of the first listing was known before: none is told until that is done.
    func isKnown(_ path: ExactPath, _ status: FileSystem.Status?, _ frame: FrameID) -> Bool {
        status.map { told.contains(path, $0.identity, frame) } ?? false
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
            let isLinked = status.links > 1 || status.identity.changed != status.identity.modified
            if status.kind == .file {
                if isLinked {
                    consider(name, path, folder, .listed, now)
                } else {
                    expect(name, path, folder, now)
                }
            } else {
                refuse(name, in: path, status.kind)
            }
        }
    }

    /// Does a slice of what waits; returns when the next one is due.
    private func work() -> ContinuousClock.Instant? {
        let end = ContinuousClock.now + Self.slice
        var now = ContinuousClock.now
        pollIfDue(now)
        tellUntold()
        lookAgainIfLeftOut()
        while now < end {
            if let path = toList.popLast() {
                sign.looks(at: path)
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
                sign.looks(at: path)
                check(path, now)
            }
            now = .now
        }
        // A listing that took the whole slice is still to be told.
        guard toList.isEmpty, batch.isEmpty, !isFirstListing, rescanned == nil else { return now }
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

    func enqueueRoot() { enqueue(root, Folder(relative: "", watch: nil, scan: -1)) }

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
