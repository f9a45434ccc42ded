import Acquisition
import Ledger
import Logging
import Plate
import ServiceLifecycle

/// Brings what the feed finds into the queue; leaves it unread while the queue is full.
struct AcquisitionService: Service {
    /// Files of the first listing that are looked up in the ledger together.
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
    /// Whether the first listing is all there is to do.
    let endsWithListing: Bool

    /// The feed ended without being stopped.
    struct FeedEnded: Error, CustomStringConvertible {
        var description: String { "The watching of the folders ended by itself." }
    }

    func run() async throws {
        let events = try feed.events(heartbeat: heartbeat)
        defer { feed.stop() }
        try await withTaskCancellationOrGracefulShutdownHandler {
            try await run(events: events)
        } onCancelOrGracefulShutdown: {
            feed.stop()
            // Releases an offer that waits for room.
            queue.close()
        }
    }

    private func run(events: AsyncStream<AcquisitionEvent>) async throws {
        var listing = Listing()
        heartbeat.rest()
        for await event in events {
            heartbeat.tick()
            guard await take(event, &listing) else { return }
            heartbeat.rest()
        }
        guard queue.isClosed else { throw FeedEnded() }
    }

    /// Deals with an event; `false` where there is nothing more to do.
    private func take(_ event: AcquisitionEvent, _ listing: inout Listing) async -> Bool {
        switch event {
        case .frame(let file):
            statistics.seen()
            stalls.saw(file.frame)
            listing.files.append(file)
            guard listing.isDone || listing.files.count >= Self.listingBatch else { return true }
            return await flush(&listing)
        case .abandoned(let file, let reason):
            statistics.seen()
            return await offer(QueuedFrame(file: file, givenUp: reason))
        case .skipped(let path, let reason):
            skip(path, reason, &listing)
        case .listed(let count):
            guard await flush(&listing) else { return false }
            listing.isDone = true
            status.becomeReady()
            logger.info("The first listing is done", metadata: Logger.Metadata([.count: "\(count)"]))
            guard endsWithListing else { return true }
            queue.close()
            return false
        case .overflow, .degraded, .rootMissing: warn(of: event)
        }
        return true
    }

    /// Files and names that were listed and not looked up yet.
    private struct Listing {
        var files: [FrameFile] = []
        var skipped: [FrameRecord] = []
        var isDone = false
    }

    /// Queues what the ledger does not know; `false` where the queue takes no more.
    private func flush(_ listing: inout Listing) async -> Bool {
        let files = listing.files
        listing.files = []
        recordSkipped(&listing)
        // Without an answer all are queued: the judging thread asks again, and waits until it is told.
        let settled = (try? ledger.settled(files.map(\.ledgerFile))) ?? []
        for file in files {
            if settled.contains(file.ledgerFile) {
                statistics.add(.known(1), latencies: [])
            } else {
                guard await offer(QueuedFrame(file: file)) else { return false }
            }
        }
        return true
    }

    private func offer(_ frame: QueuedFrame) async -> Bool {
        guard queue.isFull else { return await queue.offer(frame) }
        // More lies there than may wait: the work has begun, and the start must not seem to hang.
        status.becomeReady()
        heartbeat.rest()
        defer { heartbeat.tick() }
        return await queue.offer(frame)
    }

    private func skip(_ path: String, _ reason: String, _ listing: inout Listing) {
        logger.debug(
            "A file is not taken",
            metadata: Logger.Metadata([.file: "\(path)", .reason: "\(reason)"])
        )
        listing.skipped.append(
            FrameRecord(
                key: FrameKey(root: "", path: path),
                stamp: nil,
                frame: nil,
                outcome: .skipped(reason: reason),
                model: nil,
                completed: nil,
                judged: now()
            )
        )
        if listing.isDone || listing.skipped.count >= Self.listingBatch { recordSkipped(&listing) }
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
        statistics.add(.skipped(listing.skipped.count), latencies: [])
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
        case .frame, .skipped, .abandoned, .listed: break
        }
    }
}
