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
    private var sequences: [FrameView: WellSequence]

    init(
        results: [PageResult],
        settings: FramePipeline.Settings,
        environment: FramePipeline.Environment
    ) throws {
        self.settings = settings
        time = environment.now()
        var sequences: [FrameView: WellSequence] = [:]
        for result in results where sequences[result.frame.view] == nil {
            sequences[result.frame.view] = try WellSequence(
                of: result.frame,
                in: environment.ledger,
                before: results.count,
                settings
            )
        }
        self.sequences = sequences
        faultyBefore = Set(sequences.filter(\.value.isFaulty).keys)
        var namesakes: [FrameID: FrameSource] = [:]
        var owners: [String: FrameSource.Place] = [:]
        for result in results {
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
                let isFrozen = sequences[result.frame.view]?.isFrozen(judgement) == true
                add(result, isFrozen ? judgement.frozen : judgement, naming)
            case .quarantined(let reason), .skipped(let reason):
                add(result, failure: reason, naming)
            }
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

        init(
            _ result: PageResult,
            in ledger: FrameLedger,
            namesake: FrameSource?,
            owners: [String: FrameSource.Place],
            byFrame: Bool
        ) throws {
            let source = result.source
            let earlier = try ledger.records(of: result.frame)
            let own = earlier.first { $0.source.place == source.place }
            let other =
                namesake
                ?? earlier.first { $0.source.place != source.place && $0.state != .skipped }?.source
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
            let isChanged = own.map { $0.source.identity != source.identity } ?? false
            let change = isChanged ? "judged again: the file changed at \(result.modified.iso8601)" : nil
            reason = change ?? self.file
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
        let view = result.frame.view
        let isLate = sequences[view]?.isLate(result.place) ?? false
        let effect = isLate ? nil : sequences[view]?.add(judgement, index: result.frame.index)
        switch effect?.event {
        case .onset(let beginning, let reason):
            alarms.append(alarm(.onset, result, judgement, reason ?? naming.reason, beginning: beginning))
        case .clear: alarms.append(alarm(.clear, result, judgement, naming.reason))
        case .shift(let sentence): alarms.append(alarm(.shift, result, judgement, sentence))
        case .drift(let sentence): alarms.append(alarm(.drift, result, judgement, sentence))
        case nil: break
        }
        judgement.wellIsFaulty = isLate ? nil : sequences[view]?.isFaulty
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
        let isKept =
            sequences[result.frame.view]?.isFaulty != true || result.frame.index.isMultiple(of: Self.keptMaps)
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
    let digest: UInt64?
    let completed: Timestamp
    let pixelSize: PixelSize?
    /// What became of it; a judgement of a faulty frame has its pictures.
    let outcome: FrameRecord.Outcome

    init(
        file: FrameFile,
        at point: TimePoint = TimePoint(page: 0, time: 0),
        pages: Int = 1,
        digest: UInt64? = nil,
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
