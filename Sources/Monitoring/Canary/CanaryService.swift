import Foundation
import Ledger
import Logging
import Plate
import Reporting
import Rules
import ServiceLifecycle
import Synchronization

/// The canary: at intervals it puts faults on copies of live normal frames, to prove that the detector still finds them.
///
/// A thread of its own with the lowest priority does one judgement after another, and only while no frame waits and judging
/// is not behind. Results go to `canary.log`, the journal and the daemon's figures, never to a run's records. The next round
/// is due one interval after the last one, even if that was in an earlier start.
final class CanaryService: Service {
    private struct State {
        var settings: CanarySettings
        var isStopped = false
        var figures: DaemonFigures.Canary?
    }

    /// The newest frame of a round, and what it was judged with.
    ///
    /// A round on the same again would prove nothing new.
    private struct Basis: Equatable {
        let newest: LocatedFrame?
        let model: String
        let threshold: Double?
    }

    /// How long it waits between two looks whether live frames wait.
    private static let pause = Duration.milliseconds(50)
    /// How long it waits between two looks whether enough frames were judged.
    private static let patience = Duration.seconds(10)
    /// How long the end of the daemon waits for the judgement at hand, which may hang on a network share.
    private static let farewell = Duration.seconds(5)
    private static let stackSize = 16 << 20

    private let environment: FramePipeline.Environment
    private let faultyCopy: Monitor.FaultyCopy
    /// The settings that live frames are judged with now.
    private let judging: @Sendable () -> FramePipeline.Settings
    /// Whether no live frame waits.
    private let isQuiet: @Sendable () -> Bool
    private let state: Mutex<State>
    private let wake = DispatchSemaphore(value: 0)

    init(
        _ environment: FramePipeline.Environment,
        settings: CanarySettings,
        faultyCopy: @escaping Monitor.FaultyCopy,
        judging: @escaping @Sendable () -> FramePipeline.Settings,
        isQuiet: @escaping @Sendable () -> Bool
    ) {
        (self.environment, self.faultyCopy) = (environment, faultyCopy)
        (self.judging, self.isQuiet) = (judging, isQuiet)
        state = Mutex(State(settings: settings))
    }

    func run() async {
        let (ended, end) = AsyncStream<Void>.makeStream()
        let thread = Thread {
            self.work()
            end.finish()
        }
        thread.name = "autoqc.canary"
        thread.stackSize = Self.stackSize
        thread.start()
        try? await gracefulShutdown()
        stop()
        await withTaskGroup(of: Void.self) { group in
            group.addTask { for await _ in ended {} }
            group.addTask { try? await Task.sleep(for: Self.farewell) }
            await group.next()
            group.cancelAll()
        }
    }

    func set(_ settings: CanarySettings) {
        state.withLock { $0.settings = settings }
        wake.signal()
    }

    /// The last round, and whether there is an alarm; `nil` before the first round, and where the canary is off.
    var figures: DaemonFigures.Canary? {
        state.withLock { $0.settings.every == nil ? nil : $0.figures }
    }

    private var settings: CanarySettings { state.withLock { $0.settings } }
    private var isStopped: Bool { state.withLock { $0.isStopped } }

    private func stop() {
        state.withLock { $0.isStopped = true }
        wake.signal()
    }

    private func work() {
        // On Linux 0 is this thread, not the process.
        _ = setpriority(__priority_which_t(PRIO_PROCESS.rawValue), 0, 19)
        while settings.every == nil, !isStopped { wait(Self.patience) }
        // Not earlier: reading the log makes it, and a daemon that does not test itself leaves none.
        guard !isStopped else { return }
        let note = environment.crashes?.thread(0)
        let earlierEvents = earlierEvents
        // A crash may have come between log and ledger.
        tell(earlierEvents.suffix(2))
        var memory = CanaryMemory(earlierEvents)
        show(memory)
        var last = memory.last?.time
        var basis: Basis?
        while !isStopped {
            let settings = settings
            let left = settings.every.map { Self.timeLeft(of: $0, after: last, now: environment.now()) }
            guard left == .zero else {
                wait(min(left ?? Self.patience, Self.patience))
                continue
            }
            guard let trial = trial(settings, note, after: &basis) else {
                wait(min(settings.every ?? Self.patience, Self.patience))
                continue
            }
            let round = finished(trial)
            note?.clear()
            last = round?.time ?? environment.now()
            if let round { conclude(round, settings, &memory) }
        }
    }

    private var earlierEvents: [CanaryEvent] {
        do {
            return try CanaryLog(tree: environment.tree).events
        } catch {
            environment.logger.warning(
                "The canary's earlier results could not be read; it begins without them",
                metadata: ["reason": "\(error)"]
            )
            return []
        }
    }

    /// How long until the next round is due; zero where there was no round yet, or the clock was set back.
    static func timeLeft(of every: Duration, after last: Timestamp?, now: Timestamp) -> Duration {
        guard let last, last <= now else { return .zero }
        return max(.zero, every - (now - last))
    }

    /// A round on recent frames; `nil` while there are not enough, or no new one since the last round.
    private func trial(_ settings: CanarySettings, _ note: JudgingNote?, after basis: inout Basis?)
        -> CanaryTrial?
    {
        let judging = judging()
        do {
            let frames = try environment.ledger.recentNormalFrames(model: judging.judge.model)
            let now = Basis(newest: frames.first, model: judging.judge.model, threshold: judging.threshold)
            guard frames.count >= settings.frames, now != basis else { return nil }
            basis = now
            return CanaryTrial(
                frames,
                wanted: settings.frames,
                judge: judging.judge,
                threshold: judging.threshold,
                tools: CanaryTrial.Tools(
                    reader: environment.reader,
                    faultyCopy: faultyCopy,
                    logger: environment.logger,
                    note: note
                )
            )
        } catch {
            environment.logger.warning(
                "The canary could not look for frames; it tries again",
                metadata: ["reason": "\(error)"]
            )
            return nil
        }
    }

    /// Carries out a round while no live frame waits; `nil` where the daemon stops first, or no frame could be copied.
    private func finished(_ trial: CanaryTrial) -> CanaryRound? {
        var trial = trial
        while !trial.isDone {
            while !isQuiet(), !isStopped { wait(Self.pause) }
            guard !isStopped else { return nil }
            trial.step()
        }
        let round = trial.round(at: environment.now())
        if round == nil {
            environment.logger.warning(
                "The canary had no frame to put faults on; it tries again after `canary.every`"
            )
        }
        return round
    }

    /// Writes a round's result to the log, the journal and the figures.
    private func conclude(_ round: CanaryRound, _ settings: CanarySettings, _ memory: inout CanaryMemory) {
        let events = memory.add(round, rule: CanaryRule(alarmBelow: settings.alarmBelow))
        show(memory)
        do {
            try CanaryLog(tree: environment.tree).append(events)
        } catch {
            environment.logger.error(
                "The canary's result could not be written",
                metadata: ["reason": "\(error)"]
            )
        }
        for event in events { environment.journal.report(event) }
        tell(events)
    }

    /// Hands what changed to the ledger, from where people are told.
    private func tell(_ events: some Sequence<CanaryEvent>) {
        do {
            try environment.ledger.record(events: events.compactMap { Event($0) })
        } catch {
            environment.logger.error(
                "The canary's result could not be recorded; it is told at the next start",
                metadata: ["reason": "\(error)"]
            )
        }
    }

    private func show(_ memory: CanaryMemory) {
        state.withLock { state in
            state.figures = memory.last.map { DaemonFigures.Canary(round: $0, alarm: memory.alarm?.reason) }
        }
    }

    private func wait(_ time: Duration) {
        _ = wake.wait(timeout: .now() + .nanoseconds(Int(time.wholeNanoseconds)))
    }
}

extension DaemonFigures.Canary {
    /// For example `canary 19 of 20`, in capitals while there is an alarm.
    var words: String { "\(alarm == nil ? "canary" : "CANARY") \(round.found) of \(round.copies)" }
}
