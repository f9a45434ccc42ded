import Frames
import Ledger
import Plate
import Reporting
import Synchronization

/// The effects of a judged batch of one well, in their order: sidecars, alarm log, quarantine log, journal, ledger.
///
/// Can be carried out again after a failure or a crash: each effect that is there already is not made twice.
struct BatchReport {
    /// Sidecars that are to be on disk, or to go from there.
    struct SidecarOrder {
        let name: String
        let mask: Mask?
        let map: ScoreMap?
        let pixelSize: PixelSize?
        let verdict: RegionVerdict
    }

    let results: [PageResult]
    let settings: FramePipeline.Settings
    let environment: FramePipeline.Environment
    /// Whether the journal was told in this process, so that waiting for space does not tell it again.
    var isJournalTold = false

    /// Makes everything durable, the ledger's rows last.
    mutating func carryOut() throws {
        guard let first = results.first else { return }
        let (run, well) = (first.frame.run, first.frame.well)
        let plan = try BatchPlan(results: results, settings: settings, environment: environment)
        for order in plan.sidecars { try write(order, run: run) }
        let announced = try environment.logs.alone {
            try append(plan.alarms, run: run, well: well, faultyBefore: plan.faultyBefore)
        }
        try environment.reached(.alarmsWritten)
        if plan.counts.quarantined > 0 {
            try environment.logs.alone {
                var log = try QuarantineLog(tree: environment.tree, run: run)
                try log.append(plan.records)
            }
            try environment.reached(.quarantineWritten)
        }
        let isForJournal = try announced.map(isForJournal)
        if !isJournalTold {
            for (alarm, isTold) in zip(announced, isForJournal) where isTold {
                environment.journal.report(alarm)
            }
            isJournalTold = true
        }
        try environment.reached(.journalTold)
        let events = try events(of: announced, isForJournal)
        try environment.ledger.record(plan.records, alarms: announced, events: events)
        plan.keepArrivals(of: results, in: environment.arrivals)
        environment.statistics.add(plan.counts, latencies: plan.latencies)
        try environment.reached(.recorded)
        guard settings.isLive else { return }
        if let alarm = announced.last(where: { PlateReport.causes.contains($0.event) }) {
            try PlateReport(settings: settings, environment: environment).carryOut(after: alarm)
            try environment.reached(.plateTold)
        }
        try AdviceReport(settings: settings, environment: environment).carryOut(after: announced)
        try environment.reached(.advised)
    }

    /// Faulty frames are in the alarm logs alone, and so are the events of wells that an alarm of the plate speaks for.
    private func isForJournal(_ alarm: Alarm) throws -> Bool {
        switch alarm.event {
        case .fault: false
        case .onset, .clear, .shift, .drift:
            try !PlateReport(settings: settings, environment: environment).speaks(for: alarm)
        case .plate, .plateClear, .stalled, .unreadable: true
        }
    }

    /// What is told beyond this machine: the same as the journal is told, but a `CLEAR` wherever its `ONSET` was told, so that
    /// nobody waits for it.
    private func events(of alarms: [Alarm], _ isForJournal: [Bool]) throws -> [Event] {
        var isOpen: [FrameView: Bool] = [:]
        return try zip(alarms, isForJournal).compactMap { alarm, isForJournal in
            let frame = alarm.frame
            guard alarm.event == .clear else {
                if alarm.event == .onset { isOpen[frame.view] = isForJournal }
                return isForJournal ? Event(alarm) : nil
            }
            let last = try environment.ledger.lastEvent(
                of: [.onset, .clear],
                run: frame.run,
                well: frame.well,
                view: frame.view
            )
            return isOpen.updateValue(false, forKey: frame.view) ?? (last == .onset) ? Event(alarm) : nil
        }
    }

    private func write(_ order: SidecarOrder, run: String) throws {
        if let map = order.map {
            try environment.sidecars.write(map, pixelSize: order.pixelSize, run: run, name: order.name)
        } else {
            try environment.sidecars.removeScores(run: run, name: order.name)
        }
        guard let mask = order.mask else {
            return try environment.sidecars.removeMask(run: run, name: order.name)
        }
        try environment.sidecars.write(
            mask,
            pixelSize: order.pixelSize,
            run: run,
            name: order.name,
            regionsOf: settings.regions ? order.verdict : nil
        )
        try environment.reached(.maskWritten)
    }

    /// Appends what the log lacks and returns all of the alarms that it holds now.
    ///
    /// `ONSET` and `CLEAR` of a view alternate in a log whatever happened: after a crash frames may come in another order, and
    /// the transition can fall on another frame than the one it was announced on.
    private func append(_ alarms: [Alarm], run: String, well: Well, faultyBefore: Set<FrameView>) throws
        -> [Alarm]
    {
        guard !alarms.isEmpty else { return [] }
        var log = try AlarmLog(tree: environment.tree, run: run, well: well)
        var announced = log.lastTransitions
        let lines = alarms.filter { alarm in
            guard alarm.event == .onset || alarm.event == .clear else { return true }
            let view = alarm.frame.view
            let before = announced.updateValue(alarm.event, forKey: view)
            return alarm.event != before ?? (faultyBefore.contains(view) ? .onset : .clear)
        }
        try log.append(lines)
        return alarms.filter { log.contains($0) }
    }
}

/// The moments between the effects of a batch, at each of which a crash must do no harm; tests crash there.
enum PipelineStep: CaseIterable, Sendable {
    /// The batch was judged, and nothing is written yet.
    case judged
    /// One of the masks is written.
    case maskWritten
    case alarmsWritten
    case quarantineWritten
    case journalTold
    /// The ledger has the batch.
    case recorded
    /// What the wells of the run have in common is told, after a change of this one.
    case plateTold
    /// The ledger has the advice that follows.
    case advised
}

/// Lets one thread at a time open, mend and append to the text logs below the output folder.
///
/// Wells of a run share its quarantine log, and a thread may report a stall of a well that another thread judges. Few frames
/// need a log, so one lock for all logs costs nothing.
final class LogAccess: Sendable {
    private let lock = Mutex(())

    func alone<Value: Sendable>(_ body: () throws -> Value) throws -> Value {
        try lock.withLock { _ in try body() }
    }
}
