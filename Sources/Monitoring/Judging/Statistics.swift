package import Plate
import Reporting
import Synchronization

/// Counts what happens; any thread may count and read.
final class Statistics: Sendable {
    private struct State {
        var counts = FrameCounts()
        var latencies = LatencyHistogram()
        var firstSeen: ContinuousClock.Instant?
        var lastJudged: ContinuousClock.Instant?
        /// Frames judged in the second that began at a moment, over the last minute.
        var recent: [(moment: ContinuousClock.Instant, frames: Int)] = []
    }

    private let state = Mutex(State())
    private let clock = ContinuousClock()

    func seen() {
        state.withLock {
            $0.counts.seen += 1
            $0.firstSeen = $0.firstSeen ?? clock.now
        }
    }

    /// Counts frames of one kind that take no time to be judged.
    func add(_ kind: WritableKeyPath<FrameCounts, Int>, _ number: Int = 1) {
        var counts = FrameCounts()
        counts[keyPath: kind] = number
        add(counts)
    }

    /// Counts outcomes that are durable now.
    func add(_ counts: FrameCounts, latencies: [Duration] = []) {
        let now = clock.now
        state.withLock { state in
            state.counts += counts
            latencies.forEach { state.latencies.add($0) }
            state.lastJudged = now
            if let last = state.recent.last, now - last.moment < .seconds(1) {
                state.recent[state.recent.count - 1].frames += counts.judged
                return
            }
            state.recent.append((now, counts.judged))
            state.recent.removeAll { now - $0.moment > .seconds(60) }
        }
    }

    /// Frames judged per second over the last minute.
    var recentRate: Double {
        let now = clock.now
        return state.withLock { state in
            let recent = state.recent.filter { now - $0.moment <= .seconds(60) }
            guard let first = recent.first, now > first.moment else { return 0 }
            return Double(recent.reduce(0) { $0 + $1.frames }) / ((now - first.moment) / .seconds(1))
        }
    }

    var summary: MonitorSummary {
        state.withLock { state in
            var duration = Duration.zero
            if let first = state.firstSeen, let last = state.lastJudged { duration = last - first }
            return MonitorSummary(
                counts: state.counts,
                duration: duration,
                medianLatency: state.latencies.quantile(0.5),
                latency99: state.latencies.quantile(0.99)
            )
        }
    }
}

extension Statistics {
    /// Sums and times as the daemon shows them.
    func show(in figures: inout DaemonFigures) {
        let (summary, latency) = (summary, state.withLock { $0.latencies })
        figures.counts = summary.counts
        figures.framesPerSecond = recentRate
        figures.latency.median = summary.medianLatency.map { $0 / .seconds(1) }
        figures.latency.share99 = summary.latency99.map { $0 / .seconds(1) }
        figures.latency.upTo = latency.doublings.map { .init(seconds: $0.seconds, frames: $0.frames) }
        figures.latency.all = latency.count
        figures.latency.sum = latency.sum / .seconds(1)
    }
}

/// How long things took, in 96 classes that grow by a quarter of a doubling from 1 ms: flat in memory.
struct LatencyHistogram: Sendable {
    private static let perDoubling = 4
    private var classes = [Int](repeating: 0, count: 96)
    private(set) var count = 0
    private(set) var sum = Duration.zero

    mutating func add(_ time: Duration) {
        sum += time
        var limit = Duration.milliseconds(1)
        var index = 0
        while time > limit, index < classes.count - 1 {
            index += 1
            limit = Self.limit(of: index)
        }
        classes[index] += 1
        count += 1
    }

    /// The upper end of the class that a share of all times lies below; `nil` for none counted.
    func quantile(_ share: Double) -> Duration? {
        guard count > 0 else { return nil }
        var remaining = Int((share * Double(count)).rounded(.up))
        for (index, frames) in classes.enumerated() {
            remaining -= frames
            if remaining <= 0 { return Self.limit(of: index) }
        }
        return Self.limit(of: classes.count - 1)
    }

    /// The upper end of every doubling in s up to 65 s, with how many times lie below it.
    var doublings: [(seconds: Double, frames: Int)] {
        var frames = 0
        return (0...64).compactMap { index in
            frames += classes[index]
            return index % Self.perDoubling == 0 ? (Self.limit(of: index) / .seconds(1), frames) : nil
        }
    }

    private static func limit(of index: Int) -> Duration {
        let whole = Double(1 << (index / perDoubling))
        return .milliseconds(1) * (whole * [1, 1.189_207, 1.414_214, 1.681_793][index % perDoubling])
    }
}

/// What a run of the daemon did.
package struct MonitorSummary: Sendable, Equatable {
    /// Frames by what became of them.
    package let counts: FrameCounts
    /// From the first file taken to the last frame judged.
    package let duration: Duration
    /// Half the frames were reported within this time of their completion on disk; `nil` for none.
    package let medianLatency: Duration?
    /// 99 in 100 frames were reported within this time of their completion on disk; `nil` for none.
    package let latency99: Duration?

    /// Frames judged per second, from the first file taken to the last frame judged.
    package var framesPerSecond: Double {
        duration > .zero ? Double(counts.judged) / (duration / .seconds(1)) : 0
    }
}

/// When a part of the daemon last got on with its work.
///
/// A part that has nothing to do ticks all the same, or rests while it waits for another; one that is stuck does not.
final class Heartbeat: Sendable {
    private struct State {
        var last: ContinuousClock.Instant
        var isExcused = false
        /// The watched folder whose file system is asked for something, and since when.
        var asked: (folder: String, since: ContinuousClock.Instant)?
    }

    let name: String
    private let state: Mutex<State>

    init(name: String, now: ContinuousClock.Instant = .now) {
        self.name = name
        state = Mutex(State(last: now))
    }

    func tick(now: ContinuousClock.Instant = .now) {
        state.withLock { state in
            state.last = max(state.last, now)
            if let asked = state.asked { state.asked = (asked.folder, now) }
            state.isExcused = state.asked != nil
        }
    }

    /// Says that this part waits for another one, whose heart beats for both until the next tick.
    func rest() {
        state.withLock { $0.isExcused = true }
    }

    /// Does something that asks the file system of a watched folder.
    ///
    /// It may not answer: then that folder is to blame, not this part.
    func asking<Value>(_ folder: String, _ body: () throws -> Value) rethrows -> Value {
        let before = ask(folder)
        defer { ask(before) }
        return try body()
    }

    /// Does something in the midst of `asking` that asks nothing of that folder.
    func working<Value>(_ body: () throws -> Value) rethrows -> Value {
        let before = ask(nil)
        defer { ask(before) }
        return try body()
    }

    /// Notes which folder is asked from now on; returns the one before.
    @discardableResult
    private func ask(_ folder: String?) -> String? {
        state.withLock { state in
            let before = state.asked?.folder
            state.asked = folder.map { ($0, .now) }
            state.isExcused = folder != nil
            state.last = max(state.last, .now)
            return before
        }
    }

    /// The watched folder that has not answered for so long; `nil` where none is asked, or not for as long.
    func unanswered(for time: Duration, now: ContinuousClock.Instant = .now) -> String? {
        state.withLock { state in state.asked.flatMap { now - $0.since >= time ? $0.folder : nil } }
    }

    /// How long nothing was heard; zero while it waits for another part.
    func silence(now: ContinuousClock.Instant = .now) -> Duration {
        state.withLock { $0.isExcused ? .zero : max(.zero, now - $0.last) }
    }
}
