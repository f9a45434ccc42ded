import Acquisition
import Ledger
import Plate
import Rules
import Synchronization

/// Notes when frames come and says which wells are silent (`StallWatch`).
///
/// The feed tells it of frames, a judging thread asks it.
///
/// A run that gets frames is in progress. Its wells are asked of the ledger once, so that a restart, or a pause of the whole
/// run, forgets no silent well. A run whose files only lie there is not in progress.
final class StallReporter: Sendable {
    /// A well without an outcome for this long belongs to an earlier run of the same name.
    private static let longestGap = Duration.seconds(3600)

    private let ledger: FrameLedger
    private let timeOfDay: @Sendable () -> Timestamp
    private let started: Timestamp
    private let state = Mutex(State())

    private struct State {
        var watch = StallWatch()
        var limit = StallWatch.Limit.never
        /// When a frame came to each watched folder last, and whether its silence is reported.
        var folders: [String: (moment: ContinuousClock.Instant, isReported: Bool)] = [:]
    }

    init(ledger: FrameLedger, timeOfDay: @escaping @Sendable () -> Timestamp) {
        self.ledger = ledger
        self.timeOfDay = timeOfDay
        started = timeOfDay()
    }

    /// Sets after how long a silence is reported.
    func set(limit: StallWatch.Limit) {
        state.withLock { $0.limit = limit }
    }

    /// Watches a folder, from which no frame has come yet.
    func watch(_ folder: String, now: ContinuousClock.Instant = .now) {
        state.withLock { $0.folders[folder] = (now, false) }
    }

    /// Watched folders to which no frame has come for longer than it may take; each silence is told once.
    func newlySilentFolders(now: ContinuousClock.Instant = .now) -> [(folder: String, silence: Duration)] {
        state.withLock { state in
            guard let limit = state.watch.duration(state.limit) else { return [] }
            let silent = state.folders.filter { !$0.value.isReported && now - $0.value.moment >= limit }
            for folder in silent.keys { state.folders[folder]?.isReported = true }
            return silent.map { (folder: $0.key, silence: now - $0.value.moment) }
        }
    }

    /// How old a frame may be that shows that its run is in progress; `nil` where nothing is reported.
    private var horizon: Duration? {
        state.withLock { state in
            state.limit == .never ? nil : state.watch.duration(state.limit) ?? StallWatch.shortest
        }
    }

    /// Watches the runs that were in progress at the start, although no frame of them came since.
    func resume(now: ContinuousClock.Instant = .now) {
        guard let limit = horizon,
            let runs = try? ledger.runs(writtenSince: started - limit)
        else { return }
        for run in runs { resume(run, now) }
    }

    /// Notes that a frame came.
    ///
    /// A file that lay there at the start and is older than a silence may be says nothing of now.
    func saw(_ file: FrameFile, now: ContinuousClock.Instant = .now) {
        let isWatched = state.withLock { $0.watch.watches(file.frame.run) }
        guard let limit = horizon, file.found != .listed || file.modified >= started - limit else { return }
        if !isWatched { resume(file.frame.run, now) }
        state.withLock { state in
            state.watch.saw(file.frame, now: now)
            state.folders[file.source.root] = (now, false)
        }
    }

    /// Where the ledger has no answer, wells are watched from their next frame on.
    private func resume(_ run: String, _ now: ContinuousClock.Instant) {
        let since = timeOfDay() - Self.longestGap
        let wells = (try? ledger.wells(of: run)) ?? []
        for well in wells where well.last.judged >= since {
            let frame = FrameID(run: run, well: well.well, view: well.last.view, index: well.last.frame)
            state.withLock { $0.watch.resume(frame, isReported: well.isStalled, now: now) }
        }
    }

    /// Hands over each new stall and the silence that makes it one.
    func report(now: ContinuousClock.Instant = .now, to body: (StallWatch.Stall, Duration) -> Void) {
        for stall in state.withLock({ $0.watch.newStalls(limit: $0.limit, now: now) }) {
            body(stall, stall.limit)
        }
    }
}

extension Timestamp {
    fileprivate static func - (time: Timestamp, duration: Duration) -> Timestamp {
        Timestamp(nanoseconds: time.nanoseconds - Int64(duration / .nanoseconds(1)))
    }
}
