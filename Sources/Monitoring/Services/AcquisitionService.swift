import Acquisition
import Ledger
import Logging
import Plate
import ServiceLifecycle

/// Brings the frames of the feed into the queue.
///
/// While the queue is full, it does not read from the feed.
struct AcquisitionService: Service {
    /// How long a watched folder may take to answer.
    static let patience = Duration.seconds(5)
    /// How many skipped files of the first listing are recorded together.
    private static let listingBatch = 256

    let feed: any FrameFeed
    let queue: FrameQueue
    let ledger: FrameLedger
    let statistics: Statistics
    let status: StatusService
    let stalls: StallReporter
    let heartbeat: Heartbeat
    let logger: Logger
    let now: @Sendable () -> Timestamp
    let started: Timestamp
    /// For a run over the files of the first listing only: after how long without a file the rest of them counts as gone.
    ///
    /// `nil` for a daemon.
    let quietEnd: Duration?
    /// Which files are judged where names tell channel and z-plane.
    var choice = PlaneChoice()
    /// Files that look like frames and are not taken.
    var misfits = MisfitReport()

    /// The feed ended without being stopped.
    struct FeedEnded: Error, CustomStringConvertible {
        var description: String { "The watching of the folders ended by itself." }
    }

    func run() async throws {
        let events = try feed.events(heartbeat: heartbeat) { [queue] in queue.hasRoomForOld }
        defer { feed.stop() }
        try await withTaskCancellationOrGracefulShutdownHandler {
            try await withThrowingTaskGroup(of: Void.self) { group in
                let coming = Heartbeat(name: "events")
                if let quietEnd { group.addTask { await closeQueue(whenQuietFor: quietEnd, coming) } }
                group.addTask { await tellMisfits() }
                group.addTask { await watchFolders() }
                try await run(events: events, coming)
                group.cancelAll()
                // A service that returns before it is told to stop counts as failed.
                try? await gracefulShutdown()
            }
        } onCancelOrGracefulShutdown: {
            // The queue first: then the end of the feed counts as wanted, and an offer that waits for room returns.
            queue.close()
            feed.stop()
        }
    }

    private func run(events: AsyncStream<AcquisitionEvent>, _ coming: Heartbeat) async throws {
        var listing = Listing()
        heartbeat.rest()
        for await event in events {
            heartbeat.tick()
            coming.rest()
            guard await handle(event, &listing) else { break }
            if let expected = listing.expected, quietEnd != nil, listing.came >= expected { queue.close() }
            coming.tick()
            heartbeat.rest()
        }
        recordSkipped(&listing)
        misfits.tell(to: logger)
        guard queue.isClosed else { throw FeedEnded() }
    }

    /// Ends a run over the listed files although not all of them came: files can vanish after they were listed.
    private func closeQueue(whenQuietFor limit: Duration, _ coming: Heartbeat) async {
        while !Task.isCancelled {
            let silence = coming.silence()
            // Without room the watcher holds files back, and its silence says nothing.
            if status.hasBecomeReady, silence >= limit, queue.hasRoomForOld { return queue.close() }
            try? await Task.sleep(for: max(limit - silence, limit / 10))
        }
    }

    /// Files that came since the last report are told once a minute, also when no more come.
    private func tellMisfits() async {
        while !Task.isCancelled {
            try? await Task.sleep(for: misfits.interval)
            misfits.tell(to: logger)
        }
    }

    /// Says which watched folders do not answer, and that they do again; the start does not wait for them.
    private func watchFolders() async {
        var silent: Set<String> = []
        for folder in feed.standings { stalls.watch(folder.root) }
        while (try? await Task.sleep(for: .seconds(1))) != nil {
            let standings = feed.standings
            let now = standings.filter { $0.silence >= Self.patience }
            for folder in now where silent.insert(folder.root).inserted {
                logger.error(
                    "A watched folder does not answer; the others are watched and judged",
                    metadata: [
                        "folder": "\(printableName(folder.root))", "path": "\(folder.path)",
                        "silence": "\(folder.silence)",
                    ]
                )
            }
            for root in silent where !now.contains(where: { $0.root == root }) {
                silent.remove(root)
                logger.notice(
                    "A watched folder answers again",
                    metadata: ["folder": "\(printableName(root))"]
                )
            }
            for folder in stalls.newlySilentFolders() {
                logger.warning(
                    "No frame comes to a watched folder",
                    metadata: [
                        "folder": "\(printableName(folder.folder))",
                        "silence": "\(folder.silence.components.seconds) s",
                    ]
                )
            }
            let isListed = standings.allSatisfy { $0.isListed || $0.silence >= Self.patience }
            if !status.hasBecomeReady, !standings.isEmpty, isListed {
                status.becomeReady()
                logger.info("The first listing is done, but for folders that do not answer")
            }
        }
    }

    private struct Listing {
        /// Frames of the listing, once it is done.
        var expected: Int?
        var came = 0
        /// Skipped files that are not recorded yet.
        var skipped: [FrameRecord] = []
    }

    /// Deals with an event; `false` where the queue takes no more.
    private func handle(_ event: AcquisitionEvent, _ listing: inout Listing) async -> Bool {
        switch event {
        case .frame(let file):
            // It will be told again when it is whole, or given up.
            if !file.isGrowing {
                statistics.seen()
                listing.came += 1
            }
            guard isChosen(file, &listing) else { return true }
            // Without an answer the file is queued: a judging thread asks again, and waits for the answer.
            if !file.mayHoldNews, (try? ledger.settled([file.source]))?.isEmpty == false {
                statistics.add(\.known)
                return true
            }
            stalls.saw(file)
            return await offer(QueuedFrame(file: file, isFromStart: isFromStart(file)))
        case .abandoned(let file, let reason):
            statistics.seen()
            listing.came += 1
            guard isChosen(file, &listing) else { return true }
            return await offer(QueuedFrame(file: file, givenUp: reason, isFromStart: isFromStart(file)))
        case .skipped(let path, let reason):
            skip(path, reason, &listing)
        case .known(let count):
            statistics.add(\.seen, count)
            statistics.add(\.known, count)
        case .listed(let count):
            listing.expected = count
            recordSkipped(&listing)
            stalls.resume()
            status.becomeReady()
            logger.info("The first listing is done", metadata: ["count": "\(count)"])
        case .waiting(let file, let reason):
            guard choice.admits(file.frame.view) else { return true }
            wait(for: file, reason)
        case .overflow, .degraded, .rootMissing, .rootBack, .rootReplaced: warn(of: event)
        }
        return true
    }

    /// A file that cannot be read now is noted, and waits for as long as that lasts.
    private func wait(for file: FrameFile, _ reason: String) {
        logger.warning(
            "A frame cannot be read yet; it waits until it can",
            metadata: ["file": "\(printableName(file.path))", "reason": "\(reason)"]
        )
        let pending = PendingFrame(source: file.source, frame: file.frame, reason: reason, since: now())
        // Only the account of what waits depends on it.
        try? ledger.leave([pending])
    }

    /// Whether a file is of the channel and z-plane that are judged, as far as its name tells; others are recorded as skipped.
    private func isChosen(_ file: FrameFile, _ listing: inout Listing) -> Bool {
        guard !choice.admits(file.frame.view) else { return true }
        let words = file.frame.view.words
        let reason = "its name tells another channel or z-plane (\(words)) than those that are judged"
        record(file.source.absolutePath, reason, &listing)
        return false
    }

    private func isFromStart(_ file: FrameFile) -> Bool {
        file.found == .listed && file.modified < started
    }

    private func offer(_ frame: QueuedFrame) async -> Bool {
        guard !queue.hasRoomForOld else { return await queue.offer(frame) }
        // There are more files than may wait. Judging has begun, so the start must not seem to hang.
        status.becomeReady()
        heartbeat.rest()
        defer { heartbeat.tick() }
        return await queue.offer(frame)
    }

    private func skip(_ path: String, _ reason: String, _ listing: inout Listing) {
        if FramePattern.mayBeFrame(path, refusedBecause: reason) {
            misfits.add(path, reason, to: logger)
        } else {
            logger.debug(
                "A file is skipped; `autoqc export` lists all skipped files",
                metadata: ["file": "\(path)", "reason": "\(reason)"]
            )
        }
        record(path, reason, &listing)
    }

    private func record(_ path: String, _ reason: String, _ listing: inout Listing) {
        listing.skipped.append(
            FrameRecord(
                source: FrameSource(root: "", path: path),
                outcome: .skipped(reason: reason),
                judged: now()
            )
        )
        if listing.expected != nil || listing.skipped.count >= Self.listingBatch { recordSkipped(&listing) }
    }

    private func recordSkipped(_ listing: inout Listing) {
        guard !listing.skipped.isEmpty else { return }
        do {
            try ledger.record(listing.skipped)
        } catch {
            logger.warning(
                "Skipped files were not recorded; the next start finds them again",
                metadata: ["reason": "\(error)"]
            )
        }
        statistics.add(\.skipped, listing.skipped.count)
        listing.skipped = []
    }

    private func warn(of event: AcquisitionEvent) {
        switch event {
        case .overflow(let count):
            logger.warning(
                "File events were lost; the folders were listed again and nothing is missing",
                metadata: ["count": "\(count)"]
            )
        case .degraded(let reason):
            logger.warning("The watching of folders is degraded", metadata: ["reason": "\(reason)"])
        case .rootMissing(let path):
            logger.error(
                "A watched folder is not there; it is taken up when it is",
                metadata: ["folder": "\(path)"]
            )
        case .rootBack(let path):
            logger.notice(
                "A watched folder that was missing is there and is watched",
                metadata: ["folder": "\(path)"]
            )
        case .rootReplaced(let path):
            logger.notice(
                "The path of a watched folder names another folder now, which is watched from now on",
                metadata: ["folder": "\(path)"]
            )
        case .frame, .waiting, .skipped, .abandoned, .known, .listed: break
        }
    }
}
