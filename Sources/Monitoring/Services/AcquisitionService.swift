import Acquisition
import Ledger
import Logging
import Plate
import ServiceLifecycle

/// Brings what the feed finds into the queue; leaves it unread while the queue is full.
struct AcquisitionService: Service {
    /// Files that are not taken and are recorded together in the first listing.
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
    /// When the daemon started.
    let started: Timestamp
    /// Where the first listing is all there is to do: how long nothing may come before the rest of it is taken for
    /// gone.
    let quietEnd: Duration?

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
                try await run(events: events, coming)
                group.cancelAll()
                // A service that ends before its turn would be taken for one that failed.
                try? await gracefulShutdown()
            }
        } onCancelOrGracefulShutdown: {
            // First, so that the end of the feed is seen to be wanted; and an offer that waits for room is released.
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
            guard await take(event, &listing) else { break }
            if let expected = listing.expected, quietEnd != nil, listing.taken >= expected { queue.close() }
            coming.tick()
            heartbeat.rest()
        }
        recordSkipped(&listing)
        guard queue.isClosed else { throw FeedEnded() }
    }

    /// Ends a run over what lies there although not all of it comes: files can vanish after they were listed.
    private func closeQueue(whenQuietFor limit: Duration, _ coming: Heartbeat) async {
        while !Task.isCancelled {
            let silence = coming.silence()
            // While there is no room for more, files are held back.
            if status.hasBecomeReady, silence >= limit, queue.hasRoomForOld { return queue.close() }
            try? await Task.sleep(for: max(limit - silence, limit / 10))
        }
    }

    /// How far the first listing is.
    private struct Listing {
        /// Frames that lay there, once it is known.
        var expected: Int?
        /// Frames that came.
        var taken = 0
        /// What is not taken and not recorded yet.
        var skipped: [FrameRecord] = []
        /// Whether somebody was told that there are files that are not taken.
        var hasSkipped = false
    }

    /// Deals with an event; `false` where the queue takes no more.
    private func take(_ event: AcquisitionEvent, _ listing: inout Listing) async -> Bool {
        switch event {
        case .frame(let file):
            statistics.seen()
            stalls.saw(file)
            listing.taken += 1
            // Without an answer it is queued: a judging thread asks again, and waits until it is told.
            if (try? ledger.settled([file.source]))?.isEmpty == false {
                statistics.add(FrameCounts(known: 1))
                return true
            }
            return await offer(QueuedFrame(file: file, isFromStart: isFromStart(file)))
        case .abandoned(let file, let reason):
            statistics.seen()
            listing.taken += 1
            return await offer(
                QueuedFrame(file: file, givenUp: reason, isFromStart: isFromStart(file))
            )
        case .skipped(let path, let reason):
            skip(path, reason, &listing)
        case .known(let count):
            statistics.add(FrameCounts(seen: count, known: count))
        case .listed(let count):
            listing.expected = count
            recordSkipped(&listing)
            stalls.resume()
            status.becomeReady()
            logger.info("The first listing is done", metadata: Logger.Metadata([.count: "\(count)"]))
        case .overflow, .degraded, .rootMissing: warn(of: event)
        }
        return true
    }

    private func isFromStart(_ file: FrameFile) -> Bool {
        file.found == .listed && file.modified < started
    }

    private func offer(_ frame: QueuedFrame) async -> Bool {
        guard !queue.hasRoomForOld else { return await queue.offer(frame) }
        // More lies there than may wait: the work has begun, and the start must not seem to hang.
        status.becomeReady()
        heartbeat.rest()
        defer { heartbeat.tick() }
        return await queue.offer(frame)
    }

    private func skip(_ path: String, _ reason: String, _ listing: inout Listing) {
        // The first one aloud: a wrong pattern on a new microscope would look like silence.
        logger.log(
            level: listing.hasSkipped ? .debug : .warning,
            "A file is not taken; others that are not are in `autoqc export`",
            metadata: Logger.Metadata([.file: "\(path)", .reason: "\(reason)"])
        )
        listing.hasSkipped = true
        listing.skipped.append(
            FrameRecord(
                source: FrameSource(root: "", path: path),
                frame: nil,
                outcome: .skipped(reason: reason),
                model: nil,
                completed: nil,
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
                "Files that are not taken were not recorded; the next start finds them again",
                metadata: Logger.Metadata([.reason: "\(error)"])
            )
        }
        statistics.add(FrameCounts(skipped: listing.skipped.count))
        listing.skipped = []
    }

    private func warn(of event: AcquisitionEvent) {
        switch event {
        case .overflow(let count):
            logger.warning(
                "File events were lost; the folders were listed again and nothing is missing",
                metadata: Logger.Metadata([.count: "\(count)"])
            )
        case .degraded(let reason):
            logger.warning(
                "The watching works worse than it should",
                metadata: Logger.Metadata([.reason: "\(reason)"])
            )
        case .rootMissing(let path):
            logger.error("A watched folder is not there", metadata: Logger.Metadata([.folder: "\(path)"]))
        case .frame, .skipped, .abandoned, .known, .listed: break
        }
    }
}
