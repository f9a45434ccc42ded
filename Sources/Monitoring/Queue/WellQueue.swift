import Acquisition
import Plate

/// The names that wait, well by well, and which of them are to be judged next.
///
/// A batch has the waiting frames of one well, `batchFrames` at most: no frame waits for others to come. A well whose batch is out is
/// busy until the batch is finished, so that its frames are judged one after another. The well whose last batch was
/// handed out longest ago comes first, so that a long backlog does not keep the others waiting.
///
/// A well's frames come in the order of their time; while frames are deferred (`load`), the newest come first. Where so much
/// lay there at the start that it takes a while, what comes now goes before all of that. Frames that are deferred come when
/// no other may be judged. A value without a clock: every call is told what time it is.
struct WellQueue {
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
        /// How they are judged.
        let tier: Tier
    }

    enum Step: Equatable {
        case batch(Batch)
        /// Nothing may be judged before this moment; `nil` where only news can change that.
        case wait(until: ContinuousClock.Instant?)
    }

    /// Why frames of a well wait apart from others of it.
    private enum Pool: Int, CaseIterable {
        /// They came while the microscope was watched.
        case prompt
        /// They lay there at the start.
        case old
        /// They wait until nothing else does.
        case deferred
    }

    private struct Line {
        /// The waiting frames of each pool, in the order of time.
        var frames = [ArraySlice<QueuedFrame>](repeating: [], count: Pool.allCases.count)
        /// Not before this moment: a frame of it is to be tried again.
        var notBefore: ContinuousClock.Instant?
        /// Since when a batch of it is out.
        var busySince: ContinuousClock.Instant?
        /// When it began to wait, in the order of all wells.
        let joined: Int
        /// When its last batch was handed out, in the same order; 0 for none that is remembered.
        var lastBatch: Int

        subscript(pool: Pool) -> ArraySlice<QueuedFrame> {
            _read { yield frames[pool.rawValue] }
            _modify { yield &frames[pool.rawValue] }
        }

        var isEmpty: Bool { frames.allSatisfy(\.isEmpty) && busySince == nil }

        /// The pool that is at hand: that of the earlier frame where the microscope's frames do not come `first`.
        func next(first: Bool) -> Pool? {
            guard !first, let prompt = self[.prompt].first, let old = self[.old].first else {
                return Pool.allCases.first { !self[$0].isEmpty }
            }
            return prompt.comes(before: old) ? .prompt : .old
        }
    }

    /// The wells whose last batch is remembered, at most; as many as the largest plate has, twice.
    private static let remembered = 3072

    var batchFrames: Int
    /// Names that may wait of what lay there at the start.
    var capacity: Int
    /// Names that may wait besides, so that what comes now finds room however much lay there.
    let reserve: Int
    private(set) var load: Load

    /// Watched folders that do not answer: none of their frames is handed out.
    private var suspended: [ExactPath: Int] = [:]
    private var lines: [WellKey: Line] = [:]
    private var lastBatches: [WellKey: Int] = [:]
    private var steps = 0
    /// For each pool the names that wait.
    private var counts = [Int](repeating: 0, count: Pool.allCases.count)
    /// Wells whose batch is out.
    private(set) var busy = 0
    /// The frame that each of some wells waits for, as it cannot be written.
    private(set) var troubles: [WellKey: QueuedFrame] = [:]

    init(batchFrames: Int, capacity: Int, reserve: Int = 0, load: Load = Load(threads: 1)) {
        precondition(batchFrames > 0 && capacity > 0, "batches of \(batchFrames), capacity \(capacity)")
        self.batchFrames = batchFrames
        self.capacity = capacity
        self.reserve = reserve
        self.load = load
    }

    var count: Int { counts.reduce(0, +) }
    var deferred: Int { counts[Pool.deferred.rawValue] }

    /// When the file was whole that waits longest, of the first frames of all wells.
    var since: Timestamp? { lines.values.flatMap { $0.frames.compactMap(\.first?.file.completed) }.min() }

    /// Of them, those that came while the microscope was watched, are not deferred, and neither wait behind a trouble nor for a
    /// folder that does not answer.
    var pressing: Int {
        guard !suspended.isEmpty || !troubles.isEmpty else { return counts[Pool.prompt.rawValue] }
        return lines.reduce(0) { sum, line in
            let waits = troubles[line.key] != nil || isSuspended(line.value[.prompt].first)
            return sum + (waits ? 0 : line.value[.prompt].count)
        }
    }

    /// Of them, those of wells that wait because of a trouble.
    var held: Int {
        troubles.keys.reduce(0) { sum, key in
            sum + (lines[key].map { line in Pool.allCases.reduce(0) { $0 + line[$1].count } } ?? 0)
        }
    }

    /// Hands out no frame of a watched folder until `resume` was called as often.
    mutating func suspend(_ folder: String) { suspended[ExactPath(folder), default: 0] += 1 }

    /// Takes back one `suspend`.
    mutating func resume(_ folder: String) {
        let folder = ExactPath(folder)
        if let count = suspended[folder] { suspended[folder] = count > 1 ? count - 1 : nil }
    }

    private func isSuspended(_ frame: QueuedFrame?) -> Bool {
        guard !suspended.isEmpty, let frame else { return false }
        return suspended[ExactPath(frame.file.source.root)] != nil
    }

    /// Names that take up room: not those behind a trouble, which must not keep other wells from being judged, up to a million.
    private var occupied: Int { count - min(held, Self.mostHeld) }
    private static let mostHeld = 1_000_000

    /// Whether what lay there at the start may be added.
    var hasRoomForOld: Bool { occupied < capacity }
    var isFull: Bool { occupied >= capacity + reserve }

    /// Whether what comes now goes before what lay there at the start: that takes long, or judging is behind anyway.
    private var comesFirst: Bool {
        load.level > .keepingUp || load.time(for: counts[Pool.old.rawValue]) >= Load.limit
    }

    /// Adds a file in its well's order of time; a file that waits already is taken with its newer content.
    mutating func add(_ frame: QueuedFrame) {
        let key = Self.key(frame)
        if lines[key] == nil {
            steps += 1
            lines[key] = Line(joined: steps, lastBatch: lastBatches[key] ?? 0)
        }
        // A file that waits already keeps its pool.
        let pool = Pool.allCases.first { lines[key]?[$0].holds(frame) == true } ?? self.pool(for: frame)
        if lines[key]?[pool].place(frame) == true { counts[pool.rawValue] += 1 }
    }

    /// Hands out the next batch, or says how long there is none.
    ///
    /// Looks at every well that waits: some microseconds for a plate of 384.
    mutating func next(now: ContinuousClock.Instant) -> Step {
        var best: (key: WellKey, pool: Pool, rank: (Int, Int, Int))?
        var earliest: ContinuousClock.Instant?
        let comesFirst = comesFirst
        for (key, line) in lines where line.busySince == nil {
            if let notBefore = line.notBefore, notBefore > now {
                earliest = min(earliest ?? notBefore, notBefore)
                continue
            }
            guard let pool = line.next(first: comesFirst), !isSuspended(line[pool].first) else { continue }
            // Of the two pools that are not deferred none has precedence, unless one is to come first.
            let order = pool == .old && !comesFirst ? .prompt : pool
            let rank = (order.rawValue, line.lastBatch, line.joined)
            if best.map({ rank < $0.rank }) ?? true { best = (key, pool, rank) }
        }
        guard let best else { return .wait(until: earliest) }
        return .batch(handOut(best.pool, of: best.key, now: now))
    }

    private mutating func handOut(_ pool: Pool, of key: WellKey, now: ContinuousClock.Instant) -> Batch {
        guard var line = lines[key] else { preconditionFailure("well \(key.well) does not wait") }
        // Another reference would make every change of the line a copy of all that waits in it.
        lines[key] = nil
        let isBehind = load.level == .deferring
        let frames = Array(isBehind ? line[pool].suffix(batchFrames) : line[pool].prefix(batchFrames))
        if isBehind { line[pool].removeLast(frames.count) } else { line[pool].removeFirst(frames.count) }
        counts[pool.rawValue] -= frames.count
        steps += 1
        lastBatches[key] = steps
        line.lastBatch = steps
        forgetOldBatches()
        line.notBefore = nil
        line.busySince = now
        busy += 1
        lines[key] = line
        return Batch(frames: frames, tier: tier(of: pool))
    }

    /// What lay there at the start, and what was deferred, is judged as a whole: it is in no hurry.
    private func tier(of pool: Pool) -> Tier {
        switch pool {
        case .prompt: load.level > .keepingUp ? .half : .full
        case .old: .full
        case .deferred: .deferred
        }
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
        troubles[key] = retries.first.flatMap { $0.trouble == nil ? nil : $0 }
        load.judged(batch.frames.count - retries.count, in: now - since, tier: batch.tier)
        lines[key]?.busySince = nil
        for frame in retries { add(frame) }
        if !retries.isEmpty { lines[key]?.notBefore = notBefore }
        if lines[key]?.isEmpty == true { lines[key] = nil }
    }

    /// Looks at how judging keeps up; the answer is how it has changed, if it has.
    mutating func weighLoad(now: ContinuousClock.Instant) -> Load.Change? {
        guard let change = load.weigh(waiting: pressing, now: now) else { return nil }
        if change.now == .deferring { deferHalf() }
        return change
    }

    /// Every second frame of each well waits for the others.
    private mutating func deferHalf() {
        for key in lines.keys {
            guard let frames = lines[key]?[.prompt] else { continue }
            lines[key]?[.prompt] = []
            counts[Pool.prompt.rawValue] -= frames.count
            for frame in frames { add(frame) }
        }
    }

    /// Forgets everything and hands over what waited.
    mutating func removeAll() -> [QueuedFrame] {
        defer {
            lines = [:]
            counts = counts.map { _ in 0 }
            busy = 0
            troubles = [:]
        }
        return lines.values.flatMap { line in Pool.allCases.flatMap { line[$0] } }
    }

    private func pool(for frame: QueuedFrame) -> Pool {
        if frame.isFromStart { return .old }
        return load.level == .deferring && !frame.file.frame.index.isMultiple(of: 2) ? .deferred : .prompt
    }

    private mutating func forgetOldBatches() {
        guard lastBatches.count > 2 * Self.remembered else { return }
        let oldest = lastBatches.values.sorted()[lastBatches.count - Self.remembered]
        lastBatches = lastBatches.filter { $0.value >= oldest }
    }

    private static func key(_ frame: QueuedFrame) -> WellKey { WellKey(frame.file.frame) }
}

/// A file that waits to be judged.
struct QueuedFrame: Sendable, Equatable {
    let file: FrameFile
    /// How often it was tried in vain.
    var attempts = 0
    /// Why it could not be written when it was judged; it is judged again.
    var trouble: Trouble?
    /// Why it never became whole; such a frame is quarantined without being read.
    var givenUp: String?
    /// Whether it lay there at the start; how long such frames wait says nothing of keeping up with the microscope.
    var isFromStart = false

    /// Why a frame waits that was judged already.
    struct Trouble: Sendable, Equatable {
        let reason: String
        let attempts: Int
    }

    func comes(before other: QueuedFrame) -> Bool { order < other.order }

    fileprivate var order: (Int, ExactPath, ExactPath) {
        (file.frame.index, ExactPath(file.source.root), ExactPath(file.source.path))
    }
}

extension ArraySlice<QueuedFrame> {
    /// Puts a frame where it belongs in the order of time; `false` where it took the place of the same file.
    mutating func place(_ frame: QueuedFrame) -> Bool {
        let (index, isTaken) = firstPlace(of: frame)
        if isTaken {
            self[index] = frame
        } else if index == endIndex {
            // Unlike an insertion, it grows the slice ahead.
            append(frame)
        } else {
            insert(frame, at: index)
        }
        return !isTaken
    }

    /// Whether the same file is there, with whatever content.
    func holds(_ frame: QueuedFrame) -> Bool { firstPlace(of: frame).isTaken }

    /// Where a frame belongs, and whether the same file is there; most come last.
    private func firstPlace(of frame: QueuedFrame) -> (index: Int, isTaken: Bool) {
        guard let last, last.order >= frame.order else { return (endIndex, false) }
        var (low, high) = (startIndex, endIndex)
        while low < high {
            let middle = (low + high) / 2
            if self[middle].order < frame.order { low = middle + 1 } else { high = middle }
        }
        return (low, low < endIndex && self[low].order == frame.order)
    }
}
