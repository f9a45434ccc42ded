import Glibc
import Plate

extension Collector {
    func enqueue(_ path: ExactPath, _ folder: Folder) {
        if queued.updateValue(folder, forKey: path) == nil { toList.append(path) }
    }

    /// Takes up a folder that was seen in another, unless it is known, hidden or excluded.
    func discover(_ name: String, in parent: ExactPath, _ folder: Folder) {
        guard !name.utf8.starts(with: [UInt8(ascii: ".")]) else { return }
        let path = parent.appending(name)
        if let known = folders[path], known.scan == scan { return }
        guard !isExcluded(path) else { return }
        let relative = folder.relative.isEmpty ? name : folder.relative + "/" + name
        enqueue(path, Folder(root: folder.root, relative: relative, watch: nil, scan: -1))
    }

    private func isExcluded(_ path: ExactPath) -> Bool {
        if plan.excluded.contains(path) { return true }
        guard !plan.excluded.isEmpty, let status = try? FileSystem.status(path) else { return false }
        return plan.excluded.contains { folder in
            guard let other = try? FileSystem.status(folder, followingLink: true) else { return false }
            return other.identity.inode == status.identity.inode
                && other.identity.device == status.identity.device
        }
    }

    /// Watches a folder and then takes up what lies in it.
    func list(_ path: ExactPath, _ found: Folder, _ now: ContinuousClock.Instant) {
        var folder = folders[path] ?? Folder(root: found.root, relative: found.relative, watch: nil, scan: -1)
        let isRoot = folder.relative.isEmpty
        if folder.watch == nil || folder.scan != scan {
            guard watch(path, &folder) else { return lose(path, isRoot, now) }
        }
        folder.scan = scan
        folders[path] = folder
        missing.remove(path)
        if folder.watch == nil || folder.isShared { polled.insert(path) } else { polled.remove(path) }
        do {
            try look(through: path, folder, now)
        } catch  where error.isAbsence {
            lose(path, isRoot, now)
        } catch {
            listAgain(path, error)
        }
    }

    /// How much longer than a look at all files it takes until the next one: hundred thousand files take a while, on a share
    /// most of all.
    private static let rest = 20

    /// Takes up what lies in a folder.
    ///
    /// Where it is polled and its files were looked at not long ago, only names that are new.
    private func look(
        through path: ExactPath,
        _ folder: Folder,
        _ now: ContinuousClock.Instant
    ) throws(FileSystem.Failure) {
        let isRoot = folder.relative.isEmpty
        if let look = looks[path], now < look.due {
            for entry in try FileSystem.entries(of: path, followingLink: isRoot)
            where !look.told.contains(Look.key(entry.name)) {
                enter(entry, path, folder, now)
            }
            return
        }
        looks[path] = polled.contains(path) ? Look() : nil
        for entry in try FileSystem.entries(of: path, followingLink: isRoot, withStatus: true) {
            enter(entry, path, folder, now)
        }
        let end = ContinuousClock.now
        looks[path]?.due = end + (end - now) * Self.rest
    }

    private func enter(
        _ entry: FileSystem.Entry,
        _ path: ExactPath,
        _ folder: Folder,
        _ now: ContinuousClock.Instant
    ) {
        guard let name = validName(entry.name, in: path) else { return }
        var kind = entry.kind
        if kind == .unknown { kind = (try? FileSystem.status(path.appending(name)))?.kind ?? .unknown }
        switch kind {
        case .folder: discover(name, in: path, folder)
        case .link, .other: refuse(name, in: path, kind)
        default: consider(name, path, folder, .listed, now, entry.status)
        }
    }

    /// Watches a folder, if that is possible; `false` if it is not there.
    private func watch(_ path: ExactPath, _ folder: inout Folder) -> Bool {
        let isFull = folder.watch == nil && pathOfWatch.count >= plan.watchLimit
        let result =
            isFull
            ? .failure(FileSystem.Failure(code: ENOSPC))
            : notifications.watch(path, followingLink: folder.relative.isEmpty)
        switch result {
        case .success(let watch):
            if let old = folder.watch { drop(old, of: path, isSame: old == watch) }
            folder.watch = watch
            pathOfWatch[watch] = path
            let share = FileSystem.shareName(of: path)
            if let share { degrade("share " + folder.root.text, sentence(forShare: share, folder)) }
            folder.isShared = share != nil || plan.options.poll
            return true
        case .failure(let failure):
            guard !failure.isAbsence else { return false }
            if let old = folder.watch { drop(old, of: path, isSame: false) }
            folder.watch = nil
            degrade("watch \(failure.code)", sentence(for: failure, path))
            return true
        }
    }

    private func drop(_ watch: Int32, of path: ExactPath, isSame: Bool) {
        if isSame {
            notifications.release(watch, now: .now)
        } else {
            notifications.forget(watch)
            pathOfWatch[watch] = nil
        }
    }

    private func sentence(forShare share: String, _ folder: Folder) -> String {
        "\(printableName(folder.root.text)) lies on \(share), which does not tell what other machines write: "
            + "it is looked through every \(plan.options.pollInterval)"
    }

    private func sentence(for failure: FileSystem.Failure, _ path: ExactPath) -> String {
        let interval = plan.options.pollInterval
        switch failure.code {
        case ENOSPC, ENOMEM:
            let limit = min(notifications.maximumWatches, plan.watchLimit)
            return "only \(pathOfWatch.count) folders can be watched (the limit is \(limit)), the others are "
                + "looked through every \(interval); raise it: "
                + "sysctl fs.inotify.max_user_watches=\(limit * 4)"
        case EMFILE, ENFILE:
            let limit = notifications.maximumInstances
            return "folders cannot be watched and are looked through every \(interval): too few file "
                + "descriptors (ulimit -n) or inotify instances (the limit is \(limit); raise it: "
                + "sysctl fs.inotify.max_user_instances=\(limit * 4))"
        default:
            return "\(printableName(path.text)) cannot be watched (\(failure.reason)) and is looked through "
                + "every \(interval)"
        }
    }

    /// A folder that could not be read is tried again.
    private func listAgain(_ path: ExactPath, _ failure: FileSystem.Failure) {
        polled.insert(path)
        let reason =
            "cannot be listed: \(failure.reason); it is tried again every \(plan.options.pollInterval)"
        if failure.isShortage {
            degrade("list \(failure.code)", "folders \(reason)")
        } else {
            refuse(printableName(path.text), reason)
        }
    }

    /// Gives up a folder that is not there; a root is waited for.
    private func lose(_ path: ExactPath, _ isRoot: Bool, _ now: ContinuousClock.Instant) {
        leave(path, now)
        if isRoot, missing.insert(path).inserted { tell(.rootMissing(path: printableName(path.text))) }
    }

    /// Lets one folder go that was deleted; those below it went before.
    func remove(_ path: ExactPath, _ now: ContinuousClock.Instant) {
        queued[path] = nil
        polled.remove(path)
        looks[path] = nil
        guard let watch = folders.removeValue(forKey: path)?.watch else { return }
        notifications.release(watch, now: now)
        if pathOfWatch[watch] == path { pathOfWatch[watch] = nil }
    }

    func leave(_ path: ExactPath, _ now: ContinuousClock.Instant) {
        guard folders[path] != nil || queued[path] != nil else { return }
        for folder in folders.keys.filter({ $0.isInside(path) }) { remove(folder, now) }
        for folder in queued.keys.filter({ $0.isInside(path) }) { queued[folder] = nil }
    }

    /// Lists all folders again because events were lost.
    func rescan() {
        scan += 1
        rescanned = 0
        looks = [:]
        if isFirstListing { (listed, knownCount) = (0, 0) }
        for root in plan.roots { enqueue(root, Folder(root: root, relative: "", watch: nil, scan: -1)) }
    }

    /// Goes over to looking through all folders at intervals because no notification will come any more.
    func watchesBroke() {
        pathOfWatch = [:]
        for path in folders.keys { folders[path]?.watch = nil }
        rescan()
    }

    func pollIfDue(_ now: ContinuousClock.Instant) {
        guard let due = pollDue, due <= now else { return }
        pollDue = nil
        for path in polled {
            if let folder = folders[path] { enqueue(path, folder) }
        }
        for path in missing { enqueue(path, Folder(root: path, relative: "", watch: nil, scan: -1)) }
    }

    func finishListing(_ now: ContinuousClock.Instant) {
        if let count = rescanned {
            for (path, folder) in folders where folder.scan != scan {
                if let watch = folder.watch { drop(watch, of: path, isSame: false) }
                folders[path] = nil
                polled.remove(path)
            }
            rescanned = nil
            tell(.overflow(rescanned: count))
        }
        if isFirstListing {
            isFirstListing = false
            if knownCount > 0 { tell(.known(knownCount)) }
            tell(.listed(listed))
        }
    }
}
