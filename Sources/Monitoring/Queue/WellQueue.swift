import Acquisition
import Plate

/// The names that wait, well by well, and which of them are to be judged next.
///
/// A batch is what waits of one well, `batchFrames` at most: no frame waits for company. A well whose batch is out is
/// busy until the batch is finished, so that its frames are judged one after another. The well whose last turn is
/// longest ago comes first, so that a long backlog does not keep the others waiting.
///
/// A well's frames come in the order of their time; while judging is behind (`load`), the newest come first. Frames that
/// are deferred come when no other may be judged. A value without a clock: every call is told what time it is.
struct WellQueue {
    /// One well of one run.
    struct WellKey: Hashable, Sendable {
        let run: String
        let well: Well

        init(_ frame: FrameID) {
            run = frame.run
            well = frame.well
        }
    }

    /// Frames of one well that are judged together.
    struct Batch: Equatable, Sendable {
        /// The frames, in the order of their time; at least one.
        let frames: [QueuedFrame]
        /// How much is done for their verdicts.
        let tier: Tier
    }

    /// What the judge is to do.
    enum Step: Equatable {
        /// Judge these.
        case batch(Batch)
        /// Nothing may be judged before this moment; `nil` where only news can change that.
        case wait(until: ContinuousClock.Instant?)
    }

    private struct Line {
        var prompt: ArraySlice<QueuedFrame> = []
        var deferred: ArraySlice<QueuedFrame> = []
        /// Not before this moment: a frame of it is to be tried again.
        var notBefore: ContinuousClock.Instant?
        /// Since when a batch of it is out.
        var busySince: ContinuousClock.Instant?
        /// When it began to wait, in the order of all wells.
        var joined: Int

        var isEmpty: Bool { prompt.isEmpty && deferred.isEmpty && busySince == nil }
    }

    /// The wells whose last turn is remembered, at most; as many as the largest plate has, twice.
    private static let remembered = 3072

    /// Frames that are judged together, at most.
    var batchFrames: Int
    /// Names that may wait.
    var capacity: Int
    /// Whether judging keeps up.
    private(set) var load: Load

    private var lines: [WellKey: Line] = [:]
    private var lastTurns: [WellKey: Int] = [:]
    private var turns = 0
    /// Names that wait.
    private(set) var count = 0
    /// Of them, those that are deferred.
    private(set) var deferred = 0
    /// Of them, those that came while the microscope was watched and are not deferred.
    private(set) var pressing = 0
    /// Wells whose batch is out.
    private(set) var busy = 0

    init(batchFrames: Int, capacity: Int, load: Load = Load(threads: 1)) {
        precondition(batchFrames > 0 && capacity > 0, "batches of \(batchFrames), capacity \(capacity)")
        self.batchFrames = batchFrames
        self.capacity = capacity
        self.load = load
    }

    /// Whether no other name may be added.
    var isFull: Bool { count >= capacity }

    /// Whether the judge can do with less, for the batches to come.
    var canReduce: Bool {
        get { load.canReduce }
        set { load.canReduce = newValue }
    }

    /// Adds a file in its well's order of time; a file that waits already is taken with its newer content.
    mutating func add(_ frame: QueuedFrame) {
        insert(frame)
    }

    /// Hands out the next batch, or says how long there is none.
    ///
    /// Looks at every well that waits: some microseconds for a plate of 384.
    mutating func next(now: ContinuousClock.Instant) -> Step {
        var best: (key: WellKey, rank: (Int, Int, Int))?
        var earliest: ContinuousClock.Instant?
        for (key, line) in lines where line.busySince == nil {
            if let notBefore = line.notBefore, notBefore > now {
                earliest = min(earliest ?? notBefore, notBefore)
                continue
            }
            let rank = (line.prompt.isEmpty ? 1 : 0, lastTurns[key] ?? 0, line.joined)
            if best.map({ rank < $0.rank }) ?? true { best = (key, rank) }
        }
        guard let key = best?.key else { return .wait(until: earliest) }
        return .batch(take(from: key, now: now))
    }

    private mutating func take(from key: WellKey, now: ContinuousClock.Instant) -> Batch {
        guard var line = lines[key] else { preconditionFailure("well \(key.well) does not wait") }
        // Another reference would make every change of the line a copy of all that waits in it.
        lines[key] = nil
        let isDeferred = line.prompt.isEmpty
        let waiting = isDeferred ? line.deferred : line.prompt
        let isBehind = load.level > .keepingUp
        let frames = isBehind ? waiting.suffix(batchFrames) : waiting.prefix(batchFrames)
        let batch = Batch(frames: Array(frames), tier: isDeferred ? .deferred : load.tier)
        if isDeferred {
            if isBehind {
                line.deferred.removeLast(frames.count)
            } else {
                line.deferred.removeFirst(frames.count)
            }
        } else {
            if isBehind {
                line.prompt.removeLast(frames.count)
            } else {
                line.prompt.removeFirst(frames.count)
            }
        }
        batch.frames.forEach { tally($0, by: -1) }
        turns += 1
        lastTurns[key] = turns
        forgetOldTurns()
        line.notBefore = nil
        line.busySince = now
        busy += 1
        lines[key] = line
        return batch
    }

    /// Ends a batch; `retries` are the frames of it that are to be tried again, not before a moment, whatever the
    /// capacity.
    mutating func finish(
        _ batch: Batch,
        retries: [QueuedFrame] = [],
        notBefore: ContinuousClock.Instant? = nil,
        now: ContinuousClock.Instant
    ) {
        let key = Self.key(batch.frames[0])
        // Gone, where everything was dropped in the meantime.
        guard let since = lines[key]?.busySince else { return }
        busy -= 1
        load.judged(batch.frames.count - retries.count, in: now - since)
        lines[key]?.busySince = nil
        for frame in retries { insert(frame) }
        if !retries.isEmpty { lines[key]?.notBefore = notBefore }
        if lines[key]?.isEmpty == true { lines[key] = nil }
    }

    /// Looks at how judging keeps up; the answer is how it has changed, if it has.
    mutating func weighLoad(now: ContinuousClock.Instant) -> Load.Change? {
        guard let change = load.weigh(waiting: pressing, now: now) else { return nil }
        if change.now == .halved { deferHalf() }
        return change
    }

    /// Every second frame of each well waits for the others.
    private mutating func deferHalf() {
        for key in lines.keys {
            guard let frames = lines[key]?.prompt else { continue }
            lines[key]?.prompt = []
            frames.forEach { tally($0, by: -1) }
            for frame in frames { insert(frame) }
        }
    }

    /// Forgets everything and hands over what waited.
    mutating func removeAll() -> [QueuedFrame] {
        defer {
            lines = [:]
            (count, deferred, pressing, busy) = (0, 0, 0, 0)
        }
        return lines.values.flatMap { $0.prompt + $0.deferred }
    }

    private mutating func insert(_ frame: QueuedFrame) {
        var frame = frame
        let key = Self.key(frame)
        let isSecond = load.level == .halved && !frame.file.frame.index.isMultiple(of: 2)
        if isSecond || lines[key]?.deferred.holds(frame) == true { frame.isDeferred = true }
        if lines[key] == nil {
            turns += 1
            lines[key] = Line(joined: turns)
        }
        let isNew =
            frame.isDeferred
            ? lines[key]?.deferred.place(frame) : lines[key]?.prompt.place(frame)
        if isNew == true { tally(frame, by: 1) }
    }

    private mutating func tally(_ frame: QueuedFrame, by number: Int) {
        count += number
        if frame.isDeferred { deferred += number } else if !frame.isFromStart { pressing += number }
    }

    private mutating func forgetOldTurns() {
        guard lastTurns.count > 2 * Self.remembered else { return }
        let oldest = lastTurns.values.sorted()[lastTurns.count - Self.remembered]
        lastTurns = lastTurns.filter { $0.value >= oldest }
    }

    private static func key(_ frame: QueuedFrame) -> WellKey { WellKey(frame.file.frame) }
}
