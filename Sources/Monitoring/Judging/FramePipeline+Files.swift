import Acquisition
import Frames
import Ledger
import Logging
import Plate
import Reporting

/// The frames of one file: which of them are news, and what becomes of these.
extension FramePipeline {
    /// Whether the very same file was judged under another name, before it or its folder was renamed.
    func skipMoved(_ file: FrameFile) throws -> Bool {
        let ledger = environment.ledger
        return try persist {
            let twin = try ledger.records(of: file.frame).first { record in
                record.source.identity == file.source.identity && record.state == .judged
                    && record.source.place != file.source.page(record.source.page).place
            }
            guard let twin else { return false }
            guard try !ledger.settled([twin.source]).isEmpty else { return false }
            try skip(file, because: "the same file was judged as \(twin.source.path)")
            return true
        }
    }

    /// Where the same picture of the same frame was judged, if its file has another name now; `nil` for a copy.
    private func earlierName(of frame: FrameID, _ digest: PageDigest, _ file: FrameFile) throws -> String? {
        try persist { try environment.ledger.records(of: frame) }.first { record in
            guard record.state == .judged, record.digest?.pixels == digest.pixels,
                record.source.place != file.source.page(record.source.page).place
            else { return false }
            let there = FrameListing.identity(of: record.source.absolutePath)
            return there == nil || there?.inode == file.source.identity?.inode
        }?.source.path
    }

    private func skip(_ file: FrameFile, page: Int = 0, because reason: String) throws(LedgerError) {
        try environment.ledger.record([
            FrameRecord(
                source: file.source.page(page),
                frame: file.frame,
                outcome: .skipped(reason: reason),
                completed: file.completed,
                judged: environment.now()
            )
        ])
        environment.statistics.add(\.skipped)
    }

    /// How many frames of one file are judged in a row: a batch, or more where it took long to find them, so that a file of
    /// many thousand frames is not opened for each few of them.
    private struct Turn {
        /// The time for frames in a turn, as a multiple of the time that finding them took.
        private static let worth = 4
        private let clock = ContinuousClock()
        private let opening: ContinuousClock.Instant
        private var opened: ContinuousClock.Instant
        private var judged = 0
        private let batchFrames: Int

        init(batchFrames: Int) {
            opening = clock.now
            opened = opening
            self.batchFrames = batchFrames
        }

        mutating func begin() { opened = clock.now }
        mutating func count() { judged += 1 }

        var isOver: Bool {
            judged >= batchFrames
                && opened.duration(to: clock.now) >= opening.duration(to: opened) * Self.worth
        }
    }

    /// Judges the frames of a file that are there and are news; `false` where the file has to come again for others.
    ///
    /// Throws what may be mended by another try.
    func judge(
        _ queued: QueuedFrame,
        into results: inout [PageResult],
        _ settings: Settings
    ) throws -> Bool {
        var turn = Turn(batchFrames: settings.batchFrames)
        let file = queued.file
        let mayTryAgain = queued.givenUp == nil && queued.attempts + 1 < settings.readAttempts
        let open: any OpenFrames
        var stack: FrameStack
        do throws(FrameReadError) {
            open = try environment.reader.open(file.path)
            stack = try FrameStack(open, file, isComing: file.isGrowing && queued.givenUp == nil)
        } catch {
            if error.kind == .unseen {
                handBack(file, because: error)
                return true
            }
            if error.kind == .unfinished, mayTryAgain { throw error }
            let reason = error.kind == .unfinished ? queued.givenUp ?? error.reason : error.reason
            results.append(PageResult(file: file, outcome: .quarantined(reason: reason)))
            return true
        }
        if let note = open.note { warn(of: note, about: file) }
        if open.frames.isEmpty, !open.isIncomplete {
            try persist {
                try skip(file, because: "it has no plane of the channel and z-plane that are judged")
            }
            return true
        }
        var known = KnownPages(try persist { try environment.ledger.knownPages(of: file.source) })
        let news = stack.presence.there.filter { !known.isSame($0.page, of: stack, file) }
        turn.begin()
        for point in news {
            environment.heartbeat.tick()
            if turn.isOver || environment.isAbandoned() { return false }
            turn.count()
            let result: PageResult?
            do throws(FrameReadError) {
                result = try self.result(at: point, of: stack, file, &known, settings)
            } catch {
                stack.lacks(point, error)
                continue
            }
            guard let result else { continue }
            // Two names of one picture are told apart by the ledger.
            if results.contains(where: { $0.frame == result.frame }) { try finish(&results, settings) }
            if let digest = result.digest,
                let name = try earlierName(of: result.frame, digest, file)
            {
                try persist {
                    try skip(file, page: point.page, because: "the same frame was judged as \(name)")
                }
                continue
            }
            results.append(result)
            if stack.frames > 1, isDue(results, settings) { try finish(&results, settings) }
        }
        if !known.same.isEmpty {
            try persist { try environment.ledger.keep(known.same, of: file.source, frames: stack.frames) }
            // Written again, and nothing in it is new.
            if stack.presence.missing == nil, known.same.count == stack.presence.there.count {
                environment.statistics.add(\.known)
            }
        }
        guard let missing = stack.presence.missing, !stack.isComing else { return true }
        if missing.error.kind == .unseen {
            handBack(file, because: missing.error)
            return true
        }
        if missing.error.kind == .unfinished, mayTryAgain { throw missing.error }
        // One line for all that never came.
        results.append(
            stack.result(at: missing.frame, .quarantined(reason: queued.givenUp ?? missing.error.reason))
        )
        return true
    }

    /// The file is taken up again as soon as it can be opened; nothing is known of it.
    private func handBack(_ file: FrameFile, because error: FrameReadError) {
        environment.logger.debug(
            "A file cannot be read now and is taken up again when it can be",
            metadata: ["file": "\(file.source.path)", "reason": "\(error.reason)"]
        )
        environment.lookAgain(file)
    }

    /// Judges one page, unless it holds the same as before; a bad page of a stack does not spoil the others.
    ///
    /// Throws what may be mended by another try, or by another look.
    private func result(
        at point: TimePoint,
        of stack: FrameStack,
        _ file: FrameFile,
        _ known: inout KnownPages,
        _ settings: Settings
    ) throws(FrameReadError) -> PageResult? {
        let frame: Frame
        do throws(FrameReadError) {
            frame = try stack.open.frame(page: point.page)
        } catch {
            guard error.kind == .unreadable else { throw error }
            return stack.result(at: point, .quarantined(reason: error.reason))
        }
        let digest = stack.open.storedDigest(page: point.page).map {
            PageDigest(pixels: frame.digest, stored: $0)
        }
        if known.isSame(point.page, digest) { return nil }
        let patches: PatchSelection =
            settings.tier == .half ? .half(forFrame: file.frame.later(by: point.time).index) : .all
        let outcome = judge(frame, patches, name: file.source.path, settings)
        return stack.result(at: point, outcome, digest: digest)
    }

    /// A failure of the judge becomes a result of the frame it fails on.
    private func judge(
        _ frame: Frame,
        _ patches: PatchSelection,
        name: String,
        _ settings: Settings
    ) -> FrameRecord.Outcome {
        warn(of: frame, settings)
        do {
            var judgement = try environment.heartbeat.working {
                try settings.judge.judge(frame, threshold: settings.threshold, patches: patches)
            }
            // Only a faulty frame's are written.
            if judgement.verdict != .faulty { judgement.pictures = nil }
            return judgement.isFinite
                ? .judged(judgement) : .quarantined(reason: "its grey values are too large to be judged")
        } catch {
            environment.logger.error(
                "A frame could not be judged",
                metadata: ["file": "\(name)", "reason": "\(error)"]
            )
            return .quarantined(reason: "the model failed on it: \(error)")
        }
    }
}
