import Foundation
import Ledger
import Logging
import Plate
import Reporting
import ServiceLifecycle
import Synchronization

/// The canary: at intervals, faults on copies of live normal frames prove that the detector still finds them.
///
/// A thread of its own, with the lowest priority there is, does one judgement after another, and only while no frame waits
/// and judging is not behind. What it finds goes to `canary.log`, the journal and the daemon's figures, never to a run's
/// records. The next round is due one interval after the last one, whichever start that was in.
final class CanaryService: Service {
    /// Everything that the canary works with.
    struct Environment: Sendable {
        let ledger: FrameLedger
        let tree: OutputTree
        let journal: JournalReporter
        let tools: CanaryTrial.Tools
        let logger: Logger
        let now: @Sendable () -> Timestamp
        /// What live frames are judged with now.
        let judging: @Sendable () -> FramePipeline.Settings
        /// Whether live frames leave time.
        let isQuiet: @Sendable () -> Bool
    }

    private struct State {
        var settings: CanarySettings
        var isStopped = false
        var figures: DaemonFigures.Canary?
    }

    /// The newest frame of a round, and what it was judged with: the same again would prove nothing new.
    private struct Occasion: Equatable {
        let newest: LocatedFrame?
        let model: String
        let threshold: Double?
    }

    /// How long it waits for live frames, and how long for enough of them to have been judged.
    private static let pause = Duration.milliseconds(50)
    private static let patience = Duration.seconds(10)
    /// How long the end of the daemon waits for the judgement at hand, which may hang on a share.
    private static let farewell = Duration.seconds(5)
    private static let stackSize = 16 << 20

    private let environment: Environment
    private let state: Mutex<State>
    private let wake = DispatchSemaphore(value: 0)

    init(_ environment: Environment, settings: CanarySettings) {
        self.environment = environment
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

    /// Goes by other settings from now on.
    func set(_ settings: CanarySettings) {
        state.withLock { $0.settings = settings }
        wake.signal()
    }

    /// What the last round found, and whether there is an alarm; `nil` before the first one, and where it is off.
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
        // Not before: a daemon that does not test itself leaves no log of it.
        guard !isStopped else { return }
        var memory = CanaryMemory(past)
        show(memory)
        var last = memory.last?.time
        var occasion: Occasion?
        while !isStopped {
            let settings = settings
            let left = settings.every.map { Self.timeLeft(of: $0, after: last, now: environment.now()) }
            guard left == .zero else {
                wait(min(left ?? Self.patience, Self.patience))
                continue
            }
            guard let trial = trial(settings, after: &occasion) else {
                wait(min(settings.every ?? Self.patience, Self.patience))
                continue
            }
            let round = finished(trial)
            last = round?.time ?? environment.now()
            if let round { conclude(round, settings, &memory) }
        }
    }

    /// What earlier starts left in the log.
    private var past: [CanaryEvent] {
        do {
            return try CanaryLog(tree: environment.tree).events
        } catch {
            environment.logger.warning(
                "The canary begins without what it found before",
                metadata: Logger.Metadata([.reason: "\(error)"])
            )
            return []
        }
    }

    /// How long until the next round, one interval after the last one; none where there was none, or the clock was set back.
    static func timeLeft(of every: Duration, after last: Timestamp?, now: Timestamp) -> Duration {
        guard let last, last <= now else { return .zero }
        return max(.zero, every - .nanoseconds(now.nanoseconds - last.nanoseconds))
    }

    /// A round on frames of late; `nil` while there are not enough, or none since the last round.
    private func trial(_ settings: CanarySettings, after occasion: inout Occasion?) -> CanaryTrial? {
        let judging = environment.judging()
        do {
            let frames = try environment.ledger.recentNormalFrames(model: judging.judge.model)
            let now = Occasion(
                newest: frames.first,
                model: judging.judge.model,
                threshold: judging.threshold
            )
            guard frames.count >= settings.frames, now != occasion else { return nil }
            occasion = now
            return CanaryTrial(
                frames,
                wanted: settings.frames,
                judge: judging.judge,
                threshold: judging.threshold,
                tools: environment.tools
            )
        } catch {
            environment.logger.warning(
                "The canary finds no frames to work with",
                metadata: Logger.Metadata([.reason: "\(error)"])
            )
            return nil
        }
    }

    /// Goes through a round while live frames leave time; `nil` where the daemon stops first, or nothing could be copied.
    private func finished(_ trial: CanaryTrial) -> CanaryRound? {
        var trial = trial
        while !trial.isDone {
            while !environment.isQuiet(), !isStopped { wait(Self.pause) }
            guard !isStopped else { return nil }
            trial.step()
        }
        let round = trial.round(at: environment.now())
        if round == nil {
            environment.logger.warning("The canary had no frame to put faults on; it tries again in its turn")
        }
        return round
    }

    /// Writes and tells what a round found.
    private func conclude(_ round: CanaryRound, _ settings: CanarySettings, _ memory: inout CanaryMemory) {
        let events = memory.take(round, rule: CanaryRule(alarmBelow: settings.alarmBelow))
        show(memory)
        do {
            try CanaryLog(tree: environment.tree).append(events)
        } catch {
            environment.logger.error(
                "What the canary found could not be written",
                metadata: Logger.Metadata([.reason: "\(error)"])
            )
        }
        for event in events where !environment.journal.report(event) { log(event) }
    }

    /// Where there is no journal, the log says what the journal would have.
    private func log(_ event: CanaryEvent) {
        let level: Logger.Level =
            switch event {
            case .round: .info
            case .alarm: .warning
            case .clear: .notice
            }
        environment.logger.log(level: level, "\(event.sentence)")
    }

    private func show(_ memory: CanaryMemory) {
        state.withLock { state in
            state.figures = memory.last.map { DaemonFigures.Canary(round: $0, alarm: memory.alarm?.reason) }
        }
    }

    private func wait(_ time: Duration) {
        let milliseconds = Int((time / .milliseconds(1)).rounded(.up))
        _ = wake.wait(timeout: .now() + .milliseconds(milliseconds))
    }
}

extension DaemonFigures.Canary {
    /// For example `canary 19 of 20`, louder while there is an alarm.
    var words: String { "\(alarm == nil ? "canary" : "CANARY") \(round.found) of \(round.copies)" }
}
