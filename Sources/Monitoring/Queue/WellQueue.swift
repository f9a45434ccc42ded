import Acquisition
import Plate

/// A file that waits to be judged.
struct QueuedFrame: Sendable, Equatable {
    /// The file.
    let file: FrameFile
    /// How often it was tried in vain.
    var attempts = 0
    /// Why it never became whole; such a frame is quarantined without being read.
    var givenUp: String?
}

/// The names that wait, well by well, and which of them are to be judged next.
///
/// A well is due when `batchFrames` of its frames wait, or its first has waited for `batchWait`. Due wells take
/// turns, so that a well with a long backlog does not keep the others waiting; a well's own frames come in the order
/// of their time. A value without a clock: every call is told what time it is.
struct WellQueue {
    /// One well of one run.
    struct WellKey: Hashable, Sendable {
        let run: String
        let well: Well
    }

    /// What the judge is to do.
    enum Step: Equatable {
        /// Judge these frames of one well, in this order.
        case batch([QueuedFrame])
        /// Nothing is due before this moment; `nil` where nothing waits.
        case wait(until: ContinuousClock.Instant?)
    }

    private struct Line {
        var frames: [QueuedFrame] = []
        /// When the first of the frames that wait came.
        var since: ContinuousClock.Instant
        /// Not before this moment: a frame of it is to be tried again.
        var notBefore: ContinuousClock.Instant?
        /// Its place in turn: the lowest comes first.
        var turn: Int
    }

    /// Frames that are judged together, at most.
    var batchFrames: Int
    /// How long a well's first frame waits for more.
    var batchWait: Duration
    /// Names that may wait.
    var capacity: Int
    /// Whether nothing more will come, so that no frame need wait for another.
    var isDraining = false

    private var lines: [WellKey: Line] = [:]
    private var turns = 0
    /// Names that wait.
    private(set) var count = 0

    init(batchFrames: Int, batchWait: Duration, capacity: Int) {
        precondition(batchFrames > 0 && capacity > 0, "batches of \(batchFrames), capacity \(capacity)")
        self.batchFrames = batchFrames
        self.batchWait = batchWait
        self.capacity = capacity
    }

    /// Whether no other name may be added.
    var isFull: Bool { count >= capacity }

    /// Adds a file in its well's order of time; a file that waits already is taken with its newer content.
    mutating func add(_ frame: QueuedFrame, now: ContinuousClock.Instant) {
        insert(frame, now: now)
    }

    /// Takes back frames that are to be tried again, whatever the capacity; their well waits until then.
    mutating func putBack(
        _ frames: [QueuedFrame],
        notBefore: ContinuousClock.Instant,
        now: ContinuousClock.Instant
    ) {
        for frame in frames {
            insert(frame, now: now)
            lines[Self.key(frame)]?.notBefore = notBefore
        }
    }

    /// Hands out the next batch, or says how long there is none.
    mutating func next(now: ContinuousClock.Instant) -> Step {
        var best: (key: WellKey, turn: Int)?
        var earliest: ContinuousClock.Instant?
        for (key, line) in lines {
            let due = due(line)
            if due > now {
                earliest = min(earliest ?? due, due)
            } else if line.turn < best?.turn ?? .max {
                best = (key, line.turn)
            }
        }
        guard let key = best?.key, var line = lines[key] else { return .wait(until: earliest) }
        let batch = Array(line.frames.prefix(batchFrames))
        line.frames.removeFirst(batch.count)
        count -= batch.count
        turns += 1
        line.turn = turns
        line.since = now
        line.notBefore = nil
        lines[key] = line.frames.isEmpty ? nil : line
        return .batch(batch)
    }

    /// Forgets everything and says how much that was.
    mutating func removeAll() -> Int {
        defer {
            lines = [:]
            count = 0
        }
        return count
    }

    private func due(_ line: Line) -> ContinuousClock.Instant {
        let isWhole = isDraining || line.frames.count >= batchFrames
        let due = isWhole ? line.since : line.since + batchWait
        return max(due, line.notBefore ?? due)
    }

    private mutating func insert(_ frame: QueuedFrame, now: ContinuousClock.Instant) {
        let key = Self.key(frame)
        if lines[key] == nil {
            turns += 1
            lines[key] = Line(since: now, turn: turns)
        }
        let place = lines[key]?.frames.firstPlace(of: frame) ?? (index: 0, isTaken: false)
        if place.isTaken {
            lines[key]?.frames[place.index] = frame
        } else {
            lines[key]?.frames.insert(frame, at: place.index)
            count += 1
        }
    }

    private static func key(_ frame: QueuedFrame) -> WellKey {
        WellKey(run: frame.file.frame.run, well: frame.file.frame.well)
    }
}

extension [QueuedFrame] {
    /// Where a frame belongs in the order of time, and whether the same file is there; most come last.
    fileprivate func firstPlace(of frame: QueuedFrame) -> (index: Int, isTaken: Bool) {
        let order = { (frame: QueuedFrame) in
            (frame.file.frame.index, frame.file.root, frame.file.relativePath)
        }
        if let last, order(last) < order(frame) { return (count, false) }
        var (low, high) = (0, count)
        while low < high {
            let middle = (low + high) / 2
            if order(self[middle]) < order(frame) { low = middle + 1 } else { high = middle }
        }
        return (low, low < count && order(self[low]) == order(frame))
    }
}
