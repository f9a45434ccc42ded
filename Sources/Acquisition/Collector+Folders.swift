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
        enqueue(path, Folder(relative: relative, watch: nil, scan: -1))
    }

    private func isExcluded(_ path: ExactPath) -> Bool {
        if plan.excluded.contains(path) { return true }
        guard !plan.excluded.isEmpty, let status = try? FileSystem.status(path) else { return false }
        return plan.excluded.contains { folder in
            guard let other = try? FileSystem.status(folder, followingLink: true) else { return false }
            return other.place == status.place
        }
    }

    /// Watches a folder and then takes up what lies in it.
    func list(_ path: ExactPath, _ found: Folder, _ now: ContinuousClock.Instant) {
        var folder = folders[path] ?? Folder(relative: found.relative, watch: nil, scan: -1)
        let isRoot = folder.relative.isEmpty
        if folder.watch == nil || folder.scan != scan {
            guard watch(path, &folder) else { return lose(path, isRoot) }
        }
        folder.scan = scan
        folders[path] = folder
        if isRoot { tellFound(folder.place) }
        if folder.watch == nil || folder.isShared { polled.insert(path) } else { polled.remove(path) }
        do {
            try look(through: path, folder, now)
        } catch  where error.isAbsence {
            lose(path, isRoot)
        } catch {
            listAgain(path, error)
        }
    }

    /// Says that the root is there again, or is another folder.
    private func tellFound(_ place: FileSystem.Place?) {
        if isMissing {
            tell(.rootBack(path: printableName(root.text)))
        } else if let before = rootPlace, before != place {
            tell(.rootReplaced(path: printableName(root.text)))
        }
        (isMissing, rootPlace) = (false, place)
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
        let result: Result<Int32, FileSystem.Failure>
        do {
            let handle = try FileSystem.Handle(path, followingLink: folder.relative.isEmpty)
            folder.place = handle.place
            let share = handle.shareName
            folder.isShared = share != nil || plan.options.poll
            if let share {
                // To watch it would be to ask it, and only this thread may wait for its answer.
                degrade("share", sentence(forShare: share))
                release(&folder)
                return true
            }
            let isFull = folder.watch == nil && pathOfWatch.count >= plan.watchLimit
            result =
                isFull
                ? .failure(FileSystem.Failure(code: ENOSPC))
                : NotificationThread.shared.watch(handle, for: mailbox)
        } catch {
            result = .failure(error)
        }
        switch result {
        case .success(let watch):
            if let old = folder.watch { drop(old, isSame: old == watch) }
            folder.watch = watch
            pathOfWatch[watch] = path
            return true
        case .failure(let failure):
            guard !failure.isAbsence else { return false }
            release(&folder)
            degrade("watch \(failure.code)", sentence(for: failure, path))
            return true
        }
    }

    private func release(_ folder: inout Folder) {
        if let old = folder.watch { drop(old, isSame: false) }
        folder.watch = nil
    }

    private func drop(_ watch: Int32, isSame: Bool) {
        if isSame {
            NotificationThread.shared.release(watch, of: mailbox)
        } else {
            NotificationThread.shared.forget(watch, of: mailbox)
            pathOfWatch[watch] = nil
        }
    }

    private func sentence(forShare share: String) -> String {
        "\(printableName(root.text)) lies on \(share), which does not tell what other machines write: "
            + "it is looked through every \(plan.options.pollInterval)"
    }

    private func sentence(for failure: FileSystem.Failure, _ path: ExactPath) -> String {
        let interval = plan.options.pollInterval
        switch failure.code {
        case ENOSPC, ENOMEM:
            let limit = min(WatchLimits.current.folders, plan.watchLimit)
            return "only \(pathOfWatch.count) folders can be watched (the limit is \(limit)), the others are "
                + "looked through every \(interval); raise it: "
                + "sysctl fs.inotify.max_user_watches=\(limit * 4)"
        case EMFILE, ENFILE:
            let limit = WatchLimits.current.instances
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
    private func lose(_ path: ExactPath, _ isRoot: Bool) {
        leave(path)
        guard isRoot, !isMissing else { return }
        isMissing = true
        tell(.rootMissing(path: printableName(path.text)))
    }

    /// Lets one folder go that was deleted; those below it went before.
    func remove(_ path: ExactPath) {
        queued[path] = nil
        polled.remove(path)
        looks[path] = nil
        guard let watch = folders.removeValue(forKey: path)?.watch else { return }
        NotificationThread.shared.release(watch, of: mailbox)
        if pathOfWatch[watch] == path { pathOfWatch[watch] = nil }
    }

    func leave(_ path: ExactPath) {
        guard folders[path] != nil || queued[path] != nil else { return }
        for folder in folders.keys.filter({ $0.isInside(path) }) { remove(folder) }
        for folder in queued.keys.filter({ $0.isInside(path) }) { queued[folder] = nil }
    }

    /// Lists all folders again because events were lost.
    func rescan() {
        scan += 1
        rescanned = 0
        looks = [:]
        if isFirstListing { (listed, knownCount) = (0, 0) }
        enqueueRoot()
    }

    /// Goes over to looking through all folders at intervals because no notification will come any more.
    func watchesBroke() {
        pathOfWatch = [:]
        for path in folders.keys { folders[path]?.watch = nil }
        rescan()
    }

    func pollIfDue(_ now: ContinuousClock.Instant) {
        guard pollDue <= now else { return }
        pollDue = now + plan.options.pollInterval
        verifyPaths()
        for path in polled {
            if let folder = folders[path] { enqueue(path, folder) }
        }
        if isMissing { enqueueRoot() }
    }

    /// Takes up the folders that paths name now, where these are others than before.
    ///
    /// A link was turned, a folder was made anew, something was mounted over it or is mounted no more; none of it need come with
    /// an event.
    private func verifyPaths() {
        verify(root)
        let mounts = FileSystem.mounts().hashValue
        if let before = self.mounts, before != mounts {
            for path in folders.keys where path != root { verify(path) }
        }
        self.mounts = mounts
    }

    private func verify(_ path: ExactPath) {
        guard let folder = folders[path], let place = folder.place else { return }
        let isRoot = folder.relative.isEmpty
        sign.looks(at: path)
        do {
            guard try FileSystem.status(path, followingLink: isRoot).place != place else { return }
            leave(path)
            enqueue(path, Folder(relative: folder.relative, watch: nil, scan: -1))
        } catch  where error.isAbsence {
            lose(path, isRoot)
        } catch {
            // It is listed again, which says what is wrong.
            enqueue(path, folder)
        }
    }

    func finishListing(_ now: ContinuousClock.Instant) {
        if let count = rescanned {
            for (path, folder) in folders where folder.scan != scan {
                if let watch = folder.watch { drop(watch, isSame: false) }
                folders[path] = nil
                polled.remove(path)
            }
            rescanned = nil
            tell(.overflow(rescanned: count))
        }
        if isFirstListing {
            isFirstListing = false
            if knownCount > 0 { tell(.known(knownCount)) }
            if let all = sign.isListed(listed) { tell(.listed(all)) }
        }
    }
}
