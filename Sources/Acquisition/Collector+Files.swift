import Glibc
import Plate

extension Collector {
    /// A file that was not written to for this long is reported without waiting.
    private static let restful = Duration.seconds(2)

    /// Takes up an entry that is no folder, if its name is a frame's; `status` is its own where it is known.
    func consider(
        _ name: String,
        _ parent: ExactPath,
        _ folder: Folder,
        _ found: FrameFile.Discovery,
        _ now: ContinuousClock.Instant,
        _ status: FileSystem.Status? = nil
    ) {
        let path = parent.appending(name)
        let relative = folder.relative.isEmpty ? name : folder.relative + "/" + name
        switch plan.pattern.read(relativePath: relative, rootName: String(root.name)) {
        case .ignored: return
        case .refused(let reason): refuse(printableName(path.text), reason)
        case .frame(let frame):
            let status = found == .listed ? status ?? (try? FileSystem.status(path)) : nil
            guard found != .listed || isNews(path, parent, frame, status) else { return }
            // What comes now finds room however much lay there.
            let room = found == .listed ? plan.mostCandidates : 2 * plan.mostCandidates
            guard candidates[path] != nil || candidates.count < room else {
                hasLeftOut = true
                return
            }
            let candidate = Candidate(
                relative: relative,
                frame: frame,
                found: found,
                trustsTime: !polled.contains(parent),
                isEarly: candidates[path]?.isEarly ?? (found == .listed && isEarly(status)),
                framesTold: candidates[path]?.framesTold ?? 0,
                identity: candidates[path]?.identity,
                since: candidates[path]?.since ?? now,
                pause: plan.options.firstRetry,
                due: now
            )
            candidates[path] = candidate
            // What comes now does not wait for what lay there.
            if found != .listed, !batch.isEmpty {
                batch.append(path)
                checksDue = checksDue.map { min($0, now) }
            }
        }
    }

    /// Notes a file that was made: it is looked at when its writer closes it, or else when it has had time to be filled.
    func expect(_ name: String, _ parent: ExactPath, _ folder: Folder, _ now: ContinuousClock.Instant) {
        let path = parent.appending(name)
        let relative = folder.relative.isEmpty ? name : folder.relative + "/" + name
        guard !isFirstListing, candidates[path] == nil, candidates.count < plan.mostCandidates,
            case .frame(let frame) = plan.pattern.read(
                relativePath: relative,
                rootName: String(root.name)
            )
        else { return }
        candidates[path] = Candidate(
            relative: relative,
            frame: frame,
            found: .listed,
            trustsTime: false,
            isEarly: false,
            isOpen: true,
            since: now,
            pause: plan.options.firstRetry,
            due: now + plan.options.fill
        )
    }

    /// Whether a frame that a listing found is to be looked at; counts it.
    private func isNews(
        _ path: ExactPath,
        _ parent: ExactPath,
        _ frame: FrameID,
        _ status: FileSystem.Status?
    ) -> Bool {
        if isFirstListing {
            if isKnown(path, status, frame) {
                knownCount += 1
                return false
            }
            listed += 1
        }
        rescanned = rescanned.map { $0 + 1 }
        guard candidates[path] == nil, !isOld(path, status, frame) else { return false }
        guard wasTold(path, status, frame) else { return true }
        looks[parent]?.told.insert(Look.key(Array(path.name.utf8)))
        return false
    }

    /// Whether only new frames are wanted and this one lay there at the start; then it counts as told.
    private func isOld(_ path: ExactPath, _ status: FileSystem.Status?, _ frame: FrameID) -> Bool {
        guard plan.options.onlyNew, isFirstListing, let status, status.identity.modified < plan.started
        else { return false }
        told.insert(path, status.identity, frame)
        return true
    }

    /// Whether a file that is seen again was told as it is; otherwise it would take the place of one that waits.
    private func wasTold(_ path: ExactPath, _ status: FileSystem.Status?, _ frame: FrameID) -> Bool {
        guard !isFirstListing, let status else { return false }
        return told.contains(path, status.identity, frame)
    }

    /// Whether a file was written before the start; of what the first listing finds that is supposed.
    private func isEarly(_ status: FileSystem.Status?) -> Bool {
        guard !isFirstListing, let status else { return isFirstListing }
        return status.identity.modified < plan.started
    }

    /// The files of a kind that are due, the earliest frame last.
    func dueNow(_ now: ContinuousClock.Instant, where isWanted: (Candidate) -> Bool = { _ in true })
        -> [ExactPath]
    {
        candidates.filter { $0.value.due <= now && isWanted($0.value) }
            .sorted { $1.value.frame < $0.value.frame }
            .map(\.key)
    }

    /// Looks at one file: tells it, forgets it, or notes when to look again.
    func check(_ path: ExactPath, _ now: ContinuousClock.Instant) {
        guard var candidate = candidates[path], candidate.due <= now else { return }
        let status: FileSystem.Status
        do {
            status = try FileSystem.status(path)
        } catch {
            return fail(path, error, now)
        }
        guard status.kind == .file else {
            candidates[path] = nil
            refuse(path, status.kind)
            return
        }
        // Whoever closed it may have written without a trace in the times.
        let mayHideNews = candidate.found != .listed
        let isTold = told.contains(path, status.identity, candidate.frame, isCertain: mayHideNews)
        guard !isTold else {
            candidates[path] = nil
            return
        }
        candidate.isCertain = Self.isCertain(status.identity)
        if candidate.identity != status.identity {
            candidate.identity = status.identity
            candidate.since = now
            candidate.pause = plan.options.firstRetry
        }
        let series = Series(candidate.frame)
        guard isStable(candidate, status.identity, now) else {
            candidate.due = candidate.since + plan.options.settle
            candidates[path] = candidate
            settling[series, default: []].insert(path)
            return
        }
        settling[series]?.remove(path)
        if settling[series]?.isEmpty == true { settling[series] = nil }
        if let due = settlingBefore(candidate.frame), now - candidate.since < plan.options.settle {
            candidate.due = due
            candidates[path] = candidate
            return
        }
        decide(path, candidate, status.identity, now)
    }

    private func decide(
        _ path: ExactPath,
        _ candidate: Candidate,
        _ identity: FileIdentity,
        _ now: ContinuousClock.Instant
    ) {
        let wholeness = plan.isWhole(path.text)
        guard let after = try? FileSystem.status(path), after.identity == identity else {
            return postpone(path, candidate, now)
        }
        switch wholeness {
        case .whole, .damaged:
            conclude(path, candidate, identity) { .frame($0) }
        case .unfilled:
            // Whoever closed it meant it so.
            guard candidate.found == .listed, now - candidate.since < plan.options.fill else {
                return conclude(path, candidate, identity) { .frame($0) }
            }
            postpone(path, candidate, now)
        case .unreachable(let reason): keepWaiting(path, candidate, identity, reason, now)
        case .incomplete(let reason): wait(path, candidate, identity, lacking: reason, now)
        case .growing(let frames, let reason):
            var candidate = candidate
            // Those that are there do not wait for the others.
            if frames > candidate.framesTold {
                guard tellGrowing(path, candidate, identity) else { return }
                candidate.framesTold = frames
            }
            wait(path, candidate, identity, lacking: reason, now)
        }
    }

    /// Looks again later, or gives the file up that has stayed the same for long.
    private func wait(
        _ path: ExactPath,
        _ candidate: Candidate,
        _ identity: FileIdentity,
        lacking reason: String,
        _ now: ContinuousClock.Instant
    ) {
        guard now - candidate.since >= plan.options.giveUpAfter else {
            return postpone(path, candidate, now)
        }
        // Whoever has it open may take longer; the close is told.
        guard !candidate.isOpen else {
            candidates[path] = nil
            return
        }
        let sentence = reason.hasSuffix(".") ? String(reason.dropLast()) : reason
        let reason = "\(sentence); it has stayed so for \(plan.options.giveUpAfter)"
        conclude(path, candidate, identity) { .abandoned($0, reason: reason) }
    }

    /// Keeps a file that cannot be looked at now for as long as that lasts, and tells why once that is not over soon.
    private func keepWaiting(
        _ path: ExactPath,
        _ candidate: Candidate,
        _ identity: FileIdentity?,
        _ reason: String,
        _ now: ContinuousClock.Instant
    ) {
        var candidate = candidate
        if candidate.reasonTold != reason, now - candidate.since >= Self.restful,
            tellFile(.waiting(frameFile(candidate, identity), reason: reason))
        {
            candidate.reasonTold = reason
        }
        candidate.due = now + candidate.pause
        candidate.pause = min(candidate.pause * 2, plan.options.longestRetry)
        candidates[path] = candidate
    }

    /// Takes up a file again that was told and that its reader could not read.
    func lookAgain(_ file: FrameFile, _ now: ContinuousClock.Instant) {
        let path = ExactPath(file.path)
        if let identity = file.source.identity { told.remove(path, identity, file.frame) }
        guard candidates[path] == nil else { return }
        candidates[path] = Candidate(
            relative: file.source.path,
            frame: file.frame,
            found: file.found,
            trustsTime: false,
            isEarly: false,
            identity: file.source.identity,
            since: now,
            pause: plan.options.firstRetry,
            due: now
        )
    }

    /// Tells the frames of a file that are there; `false` where it is to be done again.
    private func tellGrowing(_ path: ExactPath, _ candidate: Candidate, _ identity: FileIdentity) -> Bool {
        var file = frameFile(candidate, identity)
        file.isGrowing = true
        guard hasRoom(for: candidate, identity), tellFile(.frame(file)) else {
            holdUp(path)
            return false
        }
        return true
    }

    private func isStable(
        _ candidate: Candidate,
        _ identity: FileIdentity,
        _ now: ContinuousClock.Instant
    ) -> Bool {
        guard candidate.found == .listed else { return true }
        if now - candidate.since >= plan.options.settle { return true }
        let latest = max(identity.modified, identity.changed)
        return candidate.trustsTime && FileSystem.now() - latest >= Self.restful
    }

    /// Until when a frame waits for earlier ones of its series, which lay there at the start and may not be whole: a frame that
    /// came after them would be told before them.
    private func settlingBefore(_ frame: FrameID) -> ContinuousClock.Instant? {
        let series = Series(frame)
        guard let paths = settling[series] else { return nil }
        let still = paths.filter { candidates[$0]?.found == .listed }
        settling[series] = still.isEmpty ? nil : still
        return still.compactMap { candidates[$0] }.filter { $0.frame.index < frame.index }.map(\.due).max()
    }

    private func postpone(_ path: ExactPath, _ candidate: Candidate, _ now: ContinuousClock.Instant) {
        var candidate = candidate
        candidate.due = min(now + candidate.pause, candidate.since + plan.options.giveUpAfter)
        candidate.pause = min(candidate.pause * 2, plan.options.longestRetry)
        candidates[path] = candidate
    }

    private func conclude(
        _ path: ExactPath,
        _ candidate: Candidate,
        _ identity: FileIdentity,
        _ event: (FrameFile) -> AcquisitionEvent
    ) {
        guard hasRoom(for: candidate, identity), tellFile(event(frameFile(candidate, identity))) else {
            return holdUp(path)
        }
        candidates[path] = nil
        told.insert(path, identity, candidate.frame, isCertain: candidate.isCertain)
    }

    /// Whether a write from now on would give a file another time of change: these go by the steps of a clock.
    private static func isCertain(_ identity: FileIdentity) -> Bool {
        let now = FileSystem.now(CLOCK_REALTIME_COARSE).nanoseconds
        let (age, overflow) = now.subtractingReportingOverflow(identity.changed.nanoseconds)
        return !overflow && age > clockStep
    }

    /// Longer than a step of any kernel's clock, in ns.
    private static let clockStep: Int64 = 20_000_000

    private func frameFile(_ candidate: Candidate, _ identity: FileIdentity?) -> FrameFile {
        FrameFile(
            source: FrameSource(root: root.text, path: candidate.relative, identity: identity),
            frame: candidate.frame,
            completed: FileSystem.now(),
            found: candidate.found
        )
    }

    /// Whether the reader takes a file now; what lay there at the start may have to wait.
    private func hasRoom(for candidate: Candidate, _ identity: FileIdentity) -> Bool {
        let isOld = candidate.found == .listed && identity.modified < plan.started
        return !isOld || plan.hasRoomForOld()
    }

    /// Keeps a file the next to be checked; whoever is behind it waits as well, but for what comes meanwhile.
    private func holdUp(_ path: ExactPath) {
        checksDue = .now + Self.patience
        batch.append(path)
    }

    /// A file that is gone was renamed or removed: its new name, if it has one, is reported on its own.
    private func fail(_ path: ExactPath, _ failure: FileSystem.Failure, _ now: ContinuousClock.Instant) {
        guard let candidate = candidates[path], !failure.isAbsence else {
            candidates[path] = nil
            return
        }
        keepWaiting(path, candidate, candidate.identity, "it cannot be looked up: \(failure.reason)", now)
    }

    /// Says that links, pipes and devices are not taken, unless the name is one that is passed over.
    func refuse(_ name: String, in folder: ExactPath, _ kind: FileSystem.Kind) {
        if !FramePattern.isIgnored(Substring(name)) { refuse(folder.appending(name), kind) }
    }

    private func refuse(_ path: ExactPath, _ kind: FileSystem.Kind) {
        let reason = kind == .link ? "is a symbolic link, which is not followed" : "is not a regular file"
        if kind != .folder { refuse(printableName(path.text), reason) }
    }
}
