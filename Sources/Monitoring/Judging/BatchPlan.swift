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
    /// Which of the batch's views the ledger says were faulty before it.
    let faultyBefore: Set<FrameView>

    private let settings: FramePipeline.Settings
    private let time: Timestamp
    /// Each view of the well is a sequence of its own: two channels are not compared with each other.
    private var views: [FrameView: ViewState] = [:]
    /// Frames of this batch that count for the well's state.
    private var counted: Set<FrameID> = []

    init(
        results: [PageResult],
        settings: FramePipeline.Settings,
        environment: FramePipeline.Environment
    ) throws {
        self.settings = settings
        time = environment.now()
        let turns = try results.map { try Turn($0, in: environment.ledger) }
        for result in results where views[result.frame.view] == nil {
            views[result.frame.view] = try ViewState(
                of: result.frame,
                before: results.count,
                turns: Set(
                    zip(results, turns).compactMap { $0.frame.view == result.frame.view ? $1.own : nil }
                ),
                settings,
                environment
            )
        }
        faultyBefore = Set(views.filter(\.value.wasFaulty).keys)
        var namesakes: [FrameID: FrameSource] = [:]
        var owners: [String: FrameSource.Place] = [:]
        for (result, turn) in zip(results, turns) {
            let naming = try Naming(
                result,
                in: environment.ledger,
                namesake: namesakes[result.frame],
                owners: owners,
                byFrame: settings.namesByFrame
            )
            namesakes[result.frame] = namesakes[result.frame] ?? result.source
            owners[naming.name] = result.source.place
            switch result.outcome {
            case .judged(let judgement):
                add(result, judgement, naming, turn)
            case .quarantined(let reason), .skipped(let reason):
                add(result, failure: reason, naming)
            }
        }
        endReplays(results)
    }

    /// Keeps what the next frames are compared with, once the batch is recorded.
    func keepArrivals(of results: [PageResult], in arrivals: KnownArrivals) {
        guard settings.evidence else { return }
        for (view, state) in views {
            guard let frame = results.first(where: { $0.frame.view == view })?.frame else { continue }
            arrivals.keep(
                state.sequence.arrivals,
                of: frame,
                after: state.sequence.newest,
                model: settings.judge.model
            )
        }
    }

    /// What a frame was for its well's state before it was judged now.
    private struct Turn {
        /// The turn of the same page; `nil` where it has not counted yet.
        let own: Int64?
        /// Whether another file of the same frame has counted.
        let isTaken: Bool

        init(_ result: PageResult, in ledger: FrameLedger) throws {
            var turns = try ledger.turns(of: result.frame)
            own = turns.removeValue(forKey: result.source.place)
            isTaken = !turns.isEmpty
        }
    }

    /// A view that was faulty for frames that were judged again, and is not any more, is clear.
    private mutating func endReplays(_ results: [PageResult]) {
        for (view, state) in views where state.wasFaulty && !state.sequence.isFaulty {
            guard state.replayedFrom != nil,
                let index = records.lastIndex(where: { $0.frame?.view == view }),
                !alarms.contains(where: { $0.event == .clear && $0.frame.view == view })
            else { continue }
            let reason = "judged again: the frames that made it faulty changed"
            alarms.append(alarm(.clear, results[index], records[index].judgement, reason))
        }
    }

    /// How a frame is told apart from others of its name, and why it is judged at all if it was before.
    private struct Naming {
        let name: String
        /// Which file it is, where others say the same frame.
        let file: String?
        /// Why a second line for this frame is no repetition.
        let reason: String?
        /// Whether there may be a mask from an earlier content.
        let hadMask: Bool
        /// The judgement of an earlier content.
        let earlier: Judgement?

        init(
            _ result: PageResult,
            in ledger: FrameLedger,
            namesake: FrameSource?,
            owners: [String: FrameSource.Place],
            byFrame: Bool
        ) throws {
            let source = result.source
            let records = try ledger.records(of: result.frame)
            let own = records.first { $0.source.place == source.place }
            let other =
                namesake
                ?? records.first { $0.source.place != source.place && $0.state != .skipped }?.source
            let ownMask = own?.judgement?.maskPath
            hadMask = ownMask != nil
            let distinction = String(source.page(0).key.prefix(8))
            // The index of a movie's frame counts its pages on, so there it says the page, too.
            let (file, page) =
                byFrame
                ? ("\(result.frame.place)_f\(result.frame.index).", 0)
                : (source.path, source.page)
            func name(_ distinction: String?) -> String {
                Sidecars.name(file: file, page: page, distinction: distinction)
            }
            if let own = ownMask.flatMap(Sidecars.name(ofMask:)) {
                self.name = own
            } else if try other == nil
                && Self.isFree(name(nil), for: result, owners: owners, in: ledger)
            {
                self.name = name(nil)
            } else {
                self.name = name(distinction)
            }
            self.file = other.map {
                "file \(distinction), \(source.path); \($0.path) says the same frame"
            }
            earlier = own?.judgement
            let isAgain = own.map { $0.state != .skipped } ?? false
            let changed = (source.identity?.changed ?? result.completed).iso8601
            reason = isAgain ? "judged again: the file changed at \(changed)" : self.file
        }

        /// Whether no mask of another page has a name.
        private static func isFree(
            _ name: String,
            for result: PageResult,
            owners: [String: FrameSource.Place],
            in ledger: FrameLedger
        ) throws -> Bool {
            guard (owners[name] ?? result.source.place) == result.source.place else { return false }
            return try !ledger.hasMask(
                Sidecars.maskPath(name: name),
                run: result.frame.run,
                besides: result.source.place
            )
        }
    }

    /// What a judged frame does to the state of its well.
    private enum Weight {
        /// It is the next frame, or the newest one again.
        case next
        /// It says nothing: a newer frame was judged before it, or another file of the same frame was.
        case none
        /// It was judged before and newer frames have been since: it keeps its place and what followed from it.
        case past
    }

    private mutating func weight(of result: PageResult, _ turn: Turn) -> Weight {
        guard var state = views[result.frame.view] else { return .none }
        if let own = turn.own {
            guard let first = state.replayedFrom, own >= first else { return .past }
        } else if turn.isTaken || !counted.insert(result.frame).inserted {
            return .none
        }
        defer { views[result.frame.view] = state }
        return state.sequence.isLate(result.place) ? .none : .next
    }

    private mutating func add(_ result: PageResult, _ found: Judgement, _ naming: Naming, _ turn: Turn) {
        let view = result.frame.view
        let weight = weight(of: result, turn)
        let isFrozen = weight == .next && views[view]?.sequence.isFrozen(found) == true
        let pictures = found.pictures
        var judgement = isFrozen ? found.frozen : found
        judgement.pictures = nil
        judgement.tier = settings.tier
        judgement.precision = settings.judge.precisionName
        judgement.maskPath = settings.masks && pictures != nil ? Sidecars.maskPath(name: naming.name) : nil
        order(pictures, judgement, naming, of: result)
        let isFaulty = judgement.verdict == .faulty
        if isFaulty { alarms.append(alarm(.fault, result, judgement, naming.reason)) }
        let effect =
            weight == .next ? views[view]?.sequence.add(judgement, index: result.frame.index) : nil
        switch effect?.event {
        case .onset(let beginning, let reason):
            alarms.append(alarm(.onset, result, judgement, reason ?? naming.reason, beginning: beginning))
        case .clear: alarms.append(alarm(.clear, result, judgement, naming.reason))
        case .shift(let sentence): alarms.append(alarm(.shift, result, judgement, sentence))
        case .drift(let sentence): alarms.append(alarm(.drift, result, judgement, sentence))
        case nil: break
        }
        switch weight {
        case .next: judgement.wellIsFaulty = views[view]?.sequence.isFaulty
        case .past: judgement.wellIsFaulty = naming.earlier?.wellIsFaulty
        case .none: judgement.wellIsFaulty = nil
        }
        judgement.change = weight == .past ? naming.earlier?.change : effect?.change
        judgement.evidence = weight == .past ? naming.earlier?.evidence : effect?.evidence
        judgement.arrival = weight == .past ? naming.earlier?.arrival : effect?.arrival
        judgement.detail = nil
        records.append(record(result, .judged(judgement)))
        counts.judged += 1
        if isFaulty { counts.flagged += 1 }
        switch settings.tier {
        case .full: break
        case .half: counts.halves += 1
        case .deferred: counts.deferred += 1
        }
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
        let isKept =
            views[result.frame.view]?.sequence.isFaulty != true
            || result.frame.index.isMultiple(of: Self.keptMaps)
        let mask = settings.masks ? pictures?.mask : nil
        let map = settings.scores && isKept ? pictures?.map : nil
        guard mask != nil || map != nil || naming.hadMask else { return }
        sidecars.append(
            BatchReport.SidecarOrder(
                name: naming.name,
                mask: mask,
                map: map,
                pixelSize: result.pixelSize,
                verdict: RegionVerdict(judgement)
            )
        )
    }

    private mutating func add(_ result: PageResult, failure reason: String, _ naming: Naming) {
        let sentence = [naming.file, reason].compactMap(\.self).joined(separator: "; ")
        alarms.append(alarm(.unreadable, result, nil, sentence))
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
            latencyMilliseconds: latency(of: result).wholeMilliseconds
        )
    }

    private func latency(of result: PageResult) -> Duration {
        max(.zero, time - result.completed)
    }

    private func record(_ result: PageResult, _ outcome: FrameRecord.Outcome) -> FrameRecord {
        FrameRecord(
            source: result.source,
            pages: result.pages,
            digest: result.digest,
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
    /// The frame; time points count on from the index in the file's name.
    let frame: FrameID
    let pages: Int
    let digest: PageDigest?
    let completed: Timestamp
    let pixelSize: PixelSize?
    /// What became of it; a judgement of a faulty frame has its pictures.
    let outcome: FrameRecord.Outcome

    init(
        file: FrameFile,
        at point: TimePoint = TimePoint(page: 0, time: 0),
        pages: Int = 1,
        digest: PageDigest? = nil,
        pixelSize: PixelSize? = nil,
        outcome: FrameRecord.Outcome
    ) {
        source = file.source.page(point.page)
        frame = file.frame.later(by: point.time)
        self.pages = pages
        self.digest = digest
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
