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
    /// The masks that are to be there, and those that are to go.
    private(set) var masks: [BatchReport.MaskOrder] = []
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
    private var state: StateHysteresis
    /// The newest frame that the well's state goes by.
    private var newest: FrameLedger.WellHistory.Newest?

    init(
        results: [PageResult],
        settings: FramePipeline.Settings,
        environment: FramePipeline.Environment
    ) throws {
        self.settings = settings
        time = environment.now()
        let rule = settings.hysteresis
        let frame = results.first?.frame
        let history = try frame.map {
            try environment.ledger.history(of: $0.well, run: $0.run, count: rule.window)
        }
        wasFaulty = history?.isFaulty ?? false
        state = StateHysteresis(rule: rule, verdicts: history?.verdicts ?? [], isFaulty: wasFaulty)
        newest = history?.newest
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
            case .judged(let judgement): add(result, judgement, naming)
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

    private mutating func add(_ result: PageResult, _ judgement: Judgement, _ naming: Naming) {
        let threshold = settings.threshold ?? judgement.threshold
        let verdict =
            settings.threshold.map { judgement.severity > $0 ? Verdict.faulty : .normal } ?? judgement.verdict
        let isFaulty = verdict == .faulty
        let hasMask = isFaulty && settings.masks
        let cause = isFaulty ? judgement.cause : .unknown
        if hasMask || naming.hadMask {
            let mask = hasMask ? judgement.mask : nil
            masks.append(
                BatchReport.MaskOrder(
                    name: naming.name,
                    mask: mask,
                    result: result,
                    cause: cause.cause.rawValue
                )
            )
        }
        let finding = Alarm.Finding(
            score: judgement.score,
            threshold: threshold,
            severity: judgement.severity,
            cause: cause.cause.rawValue,
            confidence: cause.cause == .unknown ? nil : cause.confidence,
            area: judgement.mask.area,
            boundingBox: judgement.mask.boundingBox,
            mask: hasMask ? Sidecars.maskPath(name: naming.name) : nil,
            tier: settings.tier
        )
        if isFaulty { alarms.append(alarm(.fault, result, finding, naming.reason)) }
        let isLate = isLate(result)
        if !isLate {
            switch state.take(verdict) {
            case .onset: alarms.append(alarm(.onset, result, finding, naming.reason))
            case .clear: alarms.append(alarm(.clear, result, finding, naming.reason))
            case nil: break
            }
        }
        let score = score(judgement, verdict, finding, isLate: isLate)
        records.append(record(result, .scored(score)))
        counts.scored += 1
        counts.flagged += isFaulty ? 1 : 0
        counts.reduced += settings.tier == .reduced ? 1 : 0
        counts.deferred += settings.tier == .deferred ? 1 : 0
        latencies.append(latency(of: result))
    }

    /// Whether a newer frame of the well was judged before this one: then it says nothing about the well of now.
    ///
    /// Newer by its place in time and by when it was written, as a microscope may begin to count anew.
    private mutating func isLate(_ result: PageResult) -> Bool {
        let own = FrameLedger.WellHistory.Newest(
            index: result.frame.index,
            modified: result.file.identity.modified
        )
        if let newest, own.index < newest.index, own.modified < newest.modified { return true }
        newest = own
        return false
    }

    private func score(
        _ judgement: Judgement,
        _ verdict: Verdict,
        _ finding: Alarm.Finding,
        isLate: Bool
    ) -> FrameRecord.Score {
        FrameRecord.Score(
            scores: judgement.scores,
            chosen: judgement.score,
            severity: judgement.severity,
            threshold: finding.threshold,
            verdict: verdict,
            area: finding.area,
            boundingBox: finding.boundingBox,
            cause: verdict == .faulty ? finding.cause : nil,
            mask: finding.mask,
            wellIsFaulty: isLate ? nil : state.isFaulty,
            tier: settings.tier,
            precision: settings.judge.precisionName
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
        _ reason: String?
    ) -> Alarm {
        Alarm(
            time: time,
            event: event,
            frame: result.frame,
            model: settings.judge.model,
            finding: finding,
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
