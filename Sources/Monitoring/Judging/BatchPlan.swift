import Acquisition
import Ledger
import Plate
import Reporting

/// What is to be written for a judged batch of one well, worked out before anything is.
struct BatchPlan {
    /// The ledger's rows, in the order of the frames.
    private(set) var records: [FrameRecord] = []
    /// The alarm log's lines, in the order of the frames.
    private(set) var alarms: [Alarm] = []
    /// The sidecars that are to be there, and those that are to go.
    private(set) var sidecars: [BatchReport.SidecarOrder] = []
    /// The quarantine log's lines.
    private(set) var quarantined: [QuarantineLog.Entry] = []
    /// What the batch adds to the counts.
    private(set) var counts = MonitorSummary.Counts()
    /// From each frame's completion to now.
    private(set) var latencies: [Duration] = []
    /// Whether the ledger says that the well was faulty before the batch.
    let wasFaulty: Bool

    private let settings: FramePipeline.Settings
    private let time: Timestamp
    /// `nil` for a batch of no frames.
    private var well: WellSequence?

    init(
        results: [PageResult],
        settings: FramePipeline.Settings,
        environment: FramePipeline.Environment
    ) throws {
        self.settings = settings
        time = environment.now()
        well = try results.first.map {
            try WellSequence(of: $0.frame, in: environment.ledger, before: results.count, settings)
        }
        wasFaulty = well?.isFaulty ?? false
        var namesakes: [FrameID: FrameKey] = [:]
        for result in results {
            let earlier = try environment.ledger.records(of: result.frame)
            let naming = Naming(
                result,
                earlier: earlier,
                namesake: namesakes[result.frame],
                byFrame: settings.namesByFrame
            )
            namesakes[result.frame] = namesakes[result.frame] ?? result.key
            switch result.outcome {
            case .judged(let judged):
                add(result, well?.isFrozen(judged) == true ? judged.frozen : judged, naming)
            case .failed(let reason): add(result, failure: reason)
            }
        }
    }

    /// How a frame is told apart from others of its name, and why it is judged at all if it was before.
    private struct Naming {
        /// Name of the sidecars.
        let name: String
        /// Why a second line for this frame is no repetition.
        let reason: String?
        /// Whether there may be a mask from an earlier content.
        let hadMask: Bool

        init(_ result: PageResult, earlier: [FrameRecord], namesake: FrameKey?, byFrame: Bool) {
            let own = earlier.first { $0.key == result.key }
            let other = namesake ?? earlier.first { $0.key != result.key && $0.state != .skipped }?.key
            var ownMask: String?
            if case .scored(let score) = own?.outcome { ownMask = score.mask }
            hadMask = ownMask != nil
            let distinction = other.map { _ in
                String(SafeName.hash("\(result.file.root)/\(result.file.relativePath)").prefix(8))
            }
            // The index of a movie's frame counts its pages on, so there it says the page, too.
            let (file, page) =
                byFrame
                ? ("\(result.frame.well)_f\(result.frame.index).", 0)
                : (result.file.relativePath, result.page)
            name =
                ownMask.flatMap { Sidecars.name(ofMask: $0) }
                ?? Sidecars.name(file: file, page: page, distinction: distinction)
            if let own, own.identity != result.file.identity {
                reason = "judged again: the file changed at \(result.file.identity.modified.iso8601)"
            } else {
                reason = other.map { "another file of this frame than \($0.path)" }
            }
        }
    }

    private mutating func add(_ result: PageResult, _ judged: JudgedFrame, _ naming: Naming) {
        let finding = finding(of: judged, naming)
        order(judged, finding, naming, of: result)
        let isFaulty = judged.verdict == .faulty
        if isFaulty { alarms.append(alarm(.fault, result, finding, naming.reason)) }
        let isLate = well?.isLate(result) ?? false
        let taken = isLate ? nil : well?.take(judged, index: result.frame.index)
        switch taken?.event {
        case .onset(let beginning):
            alarms.append(alarm(.onset, result, finding, naming.reason, beginning: beginning))
        case .clear: alarms.append(alarm(.clear, result, finding, naming.reason))
        case .drift(let sentence): alarms.append(alarm(.drift, result, finding, sentence))
        case nil: break
        }
        records.append(record(result, .scored(score(judged, finding, isLate: isLate, change: taken?.change))))
        counts.scored += 1
        counts.flagged += isFaulty ? 1 : 0
        counts.deferred += settings.tier == .deferred ? 1 : 0
        latencies.append(latency(of: result))
    }

    private func finding(of judged: JudgedFrame, _ naming: Naming) -> Alarm.Finding {
        let cause = judged.verdict == .faulty ? judged.cause : .unknown
        return Alarm.Finding(
            score: judged.score,
            threshold: judged.threshold,
            severity: judged.severity,
            cause: cause.cause.rawValue,
            confidence: cause.cause == .unknown ? nil : cause.confidence,
            area: judged.area,
            boundingBox: judged.boundingBox,
            mask: settings.masks && judged.pictures != nil ? Sidecars.maskPath(name: naming.name) : nil,
            tier: settings.tier
        )
    }

    /// Of a well that is faulty already, one score map in so many is kept: a lamp that fails would fill the disk, with some
    /// 40 GB an hour.
    private static let keptMaps = 10

    /// What is to lie beside the logs, and what is to go from there.
    private mutating func order(
        _ judged: JudgedFrame,
        _ finding: Alarm.Finding,
        _ naming: Naming,
        of result: PageResult
    ) {
        let isKept = well?.isFaulty != true || result.frame.index.isMultiple(of: Self.keptMaps)
        let mask = settings.masks ? judged.pictures?.mask : nil
        let map = settings.scores && isKept ? judged.pictures?.map : nil
        guard mask != nil || map != nil || naming.hadMask else { return }
        sidecars.append(
            BatchReport.SidecarOrder(
                name: naming.name,
                mask: mask,
                map: map,
                pixelSize: result.pixelSize,
                cause: finding.cause
            )
        )
    }

    private func score(
        _ judged: JudgedFrame,
        _ finding: Alarm.Finding,
        isLate: Bool,
        change: Double?
    ) -> FrameRecord.Score {
        FrameRecord.Score(
            scores: judged.scores,
            chosen: judged.score,
            severity: judged.severity,
            threshold: finding.threshold,
            verdict: judged.verdict,
            area: finding.area,
            boundingBox: finding.boundingBox,
            cause: judged.verdict == .faulty ? finding.cause : nil,
            mask: finding.mask,
            wellIsFaulty: isLate ? nil : well?.isFaulty,
            tier: settings.tier,
            precision: settings.judge.precisionName,
            change: change,
            appearance: judged.appearance
        )
    }

    private mutating func add(_ result: PageResult, failure reason: String) {
        alarms.append(alarm(.unreadable, result, nil, reason))
        quarantined.append(
            QuarantineLog.Entry(
                time: time,
                file: result.file.relativePath,
                page: result.page,
                frame: result.frame,
                reason: reason
            )
        )
        records.append(record(result, .quarantined(reason: reason)))
        counts.quarantined += 1
    }

    private func alarm(
        _ event: Alarm.Event,
        _ result: PageResult,
        _ finding: Alarm.Finding?,
        _ reason: String?,
        beginning: Alarm.Beginning? = nil
    ) -> Alarm {
        Alarm(
            time: time,
            event: event,
            frame: result.frame,
            model: settings.judge.model,
            finding: finding,
            beginning: beginning,
            reason: reason,
            latencyMilliseconds: Int(latency(of: result) / .milliseconds(1))
        )
    }

    private func latency(of result: PageResult) -> Duration {
        .nanoseconds(max(0, time.nanoseconds - result.file.completed.nanoseconds))
    }

    private func record(_ result: PageResult, _ outcome: FrameRecord.Outcome) -> FrameRecord {
        FrameRecord(
            key: result.key,
            pages: result.pages,
            identity: result.file.identity,
            frame: result.frame,
            outcome: outcome,
            model: settings.judge.model,
            completed: result.file.completed,
            judged: time
        )
    }
}
