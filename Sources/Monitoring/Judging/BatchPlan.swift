import Acquisition
import Frames
import Ledger
import Plate
import Reporting
import Rules

/// What is to be written for a judged batch of one well, worked out before anything is.
struct BatchPlan {
    private(set) var records: [FrameRecord] = []
    private(set) var alarms: [Alarm] = []
    /// The sidecars that are to be there, and those that are to go.
    private(set) var sidecars: [BatchReport.SidecarOrder] = []
    private(set) var counts = FrameCounts()
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
        var namesakes: [FrameID: FrameSource] = [:]
        for result in results {
            let earlier = try environment.ledger.records(of: result.frame)
            let naming = Naming(
                result,
                earlier: earlier,
                namesake: namesakes[result.frame],
                byFrame: settings.namesByFrame
            )
            namesakes[result.frame] = namesakes[result.frame] ?? result.source
            switch result.outcome {
            case .judged(let judgement):
                add(result, well?.isFrozen(judgement) == true ? judgement.frozen : judgement, naming)
            case .quarantined(let reason), .skipped(let reason): add(result, failure: reason)
            }
        }
    }

    /// How a frame is told apart from others of its name, and why it is judged at all if it was before.
    private struct Naming {
        let name: String
        /// Why a second line for this frame is no repetition.
        let reason: String?
        /// Whether there may be a mask from an earlier content.
        let hadMask: Bool

        init(_ result: PageResult, earlier: [FrameRecord], namesake: FrameSource?, byFrame: Bool) {
            let source = result.source
            let own = earlier.first { $0.source.place == source.place }
            let other =
                namesake
                ?? earlier.first { $0.source.place != source.place && $0.state != .skipped }?.source
            let ownMask = own?.judgement?.maskPath
            hadMask = ownMask != nil
            let distinction = other.map { _ in
                String(SafeName.hash("\(source.root)/\(source.path)").prefix(8))
            }
            // The index of a movie's frame counts its pages on, so there it says the page, too.
            let (file, page) =
                byFrame
                ? ("\(result.frame.well)_f\(result.frame.index).", 0)
                : (source.path, source.page)
            name =
                ownMask.flatMap(Sidecars.name(ofMask:))
                ?? Sidecars.name(file: file, page: page, distinction: distinction)
            if let own, own.source.identity != source.identity {
                reason = "judged again: the file changed at \(result.modified.iso8601)"
            } else {
                reason = other.map { "another file of this frame than \($0.path)" }
            }
        }
    }

    private mutating func add(_ result: PageResult, _ found: Judgement, _ naming: Naming) {
        let pictures = found.pictures
        var judgement = found
        judgement.pictures = nil
        judgement.tier = settings.tier
        judgement.precision = settings.judge.precisionName
        judgement.maskPath = settings.masks && pictures != nil ? Sidecars.maskPath(name: naming.name) : nil
        order(pictures, judgement, naming, of: result)
        let isFaulty = judgement.verdict == .faulty
        if isFaulty { alarms.append(alarm(.fault, result, judgement, naming.reason)) }
        let isLate = well?.isLate(result.place) ?? false
        let effect = isLate ? nil : well?.add(judgement, index: result.frame.index)
        switch effect?.event {
        case .onset(let beginning, let reason):
            alarms.append(alarm(.onset, result, judgement, reason ?? naming.reason, beginning: beginning))
        case .clear: alarms.append(alarm(.clear, result, judgement, naming.reason))
        case .shift(let sentence): alarms.append(alarm(.shift, result, judgement, sentence))
        case .drift(let sentence): alarms.append(alarm(.drift, result, judgement, sentence))
        case nil: break
        }
        judgement.wellIsFaulty = isLate ? nil : well?.isFaulty
        judgement.change = effect?.change
        judgement.evidence = effect?.evidence
        records.append(record(result, .judged(judgement)))
        counts.judged += 1
        if isFaulty { counts.flagged += 1 }
        if settings.tier == .deferred { counts.deferred += 1 }
        latencies.append(latency(of: result))
    }

    /// Of a well that is faulty already, one score map in so many is kept: a lamp that fails would fill the disk, with some
    /// 40 GB an hour.
    private static let keptMaps = 10

    /// What is to lie beside the logs, and what is to go from there.
    private mutating func order(
        _ pictures: Judgement.Pictures?,
        _ judgement: Judgement,
        _ naming: Naming,
        of result: PageResult
    ) {
        let isKept = well?.isFaulty != true || result.frame.index.isMultiple(of: Self.keptMaps)
        let mask = settings.masks ? pictures?.mask : nil
        let map = settings.scores && isKept ? pictures?.map : nil
        guard mask != nil || map != nil || naming.hadMask else { return }
        sidecars.append(
            BatchReport.SidecarOrder(
                name: naming.name,
                mask: mask,
                map: map,
                pixelSize: result.pixelSize,
                cause: judgement.cause.cause
            )
        )
    }

    private mutating func add(_ result: PageResult, failure reason: String) {
        alarms.append(alarm(.unreadable, result, nil, reason))
        records.append(record(result, .quarantined(reason: reason)))
        counts.quarantined += 1
    }

    private func alarm(
        _ event: Alarm.Event,
        _ result: PageResult,
        _ judgement: Judgement?,
        _ reason: String?,
        beginning: Alarm.Beginning? = nil
    ) -> Alarm {
        Alarm(
            time: time,
            event: event,
            frame: result.frame,
            model: settings.judge.model,
            judgement: judgement,
            beginning: beginning,
            reason: reason,
            latencyMilliseconds: Int(latency(of: result) / .milliseconds(1))
        )
    }

    private func latency(of result: PageResult) -> Duration {
        .nanoseconds(max(0, time.nanoseconds - result.completed.nanoseconds))
    }

    private func record(_ result: PageResult, _ outcome: FrameRecord.Outcome) -> FrameRecord {
        FrameRecord(
            source: result.source,
            pages: result.pages,
            frame: result.frame,
            outcome: outcome,
            model: settings.judge.model,
            completed: result.completed,
            judged: time
        )
    }
}

/// One page of a file with what became of it, without its pixels.
struct PageResult {
    let source: FrameSource
    /// The frame; pages count on from the index in the file's name.
    let frame: FrameID
    let pages: Int
    let completed: Timestamp
    let pixelSize: PixelSize?
    /// What became of it; a judgement of a faulty frame has its pictures.
    let outcome: FrameRecord.Outcome

    init(
        file: FrameFile,
        page: Int = 0,
        pages: Int = 1,
        pixelSize: PixelSize? = nil,
        outcome: FrameRecord.Outcome
    ) {
        source = file.source.page(page)
        frame = FrameID(run: file.frame.run, well: file.frame.well, index: file.frame.index + page)
        self.pages = pages
        completed = file.completed
        self.pixelSize = pixelSize
        self.outcome = outcome
    }

    /// When the file was last written; without a content to say so, when it was complete.
    var modified: Timestamp { source.identity?.modified ?? completed }
    var place: PlaceInTime { PlaceInTime(index: frame.index, modified: modified) }

    /// Whether it waits to be written with pictures, which take megabytes.
    var hasPictures: Bool {
        guard case .judged(let judgement) = outcome else { return false }
        return judgement.pictures != nil
    }
}
