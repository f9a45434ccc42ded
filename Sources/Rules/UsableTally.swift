package import Plate

/// The frames of a view of a well as they are read: what of it can be used, and what spoils the rest.
package struct UsableTally: Sendable {
    /// The use of frames that follow one another.
    package enum Use: Sendable, Equatable {
        /// Good, in an interval.
        case usable
        /// Suspect, in an interval.
        case suspect
        /// Good or suspect, in no interval: too few in a row.
        case short
        /// They never came.
        case missing
        /// There is no verdict on them.
        case unreadable
        /// Flagged.
        case flagged
    }

    /// Frames of one use in a row.
    package struct Stretch: Sendable, Equatable {
        /// Index of the first.
        package let first: Int
        /// Index of the last.
        package let last: Int
        /// Their use.
        package let use: Use
    }

    private var points: [UsableFrames.Point] = []
    /// How many of the frames that count as faulty have which cause.
    package private(set) var causes: [String: Int] = [:]
    /// Frames that count as faulty.
    package private(set) var flagged = 0
    /// Frames without a verdict.
    package private(set) var unreadable = 0
    /// Indices of the first and the last frame that counts as faulty.
    package private(set) var flaggedFrames: ClosedRange<Int>?

    /// Nothing was read yet.
    package init() {}

    /// Adds a frame and what reviewers say of it; frames come in order of index.
    package mutating func add(_ point: SeriesPoint, _ opinion: Opinion?) {
        let quality = UsableFrames.Quality(of: point, opinion)
        points.append(UsableFrames.Point(index: point.frame, quality: quality, written: point.modified))
        switch quality {
        case .good, .suspect: break
        case .unreadable: unreadable += 1
        case .flagged:
            flagged += 1
            causes[point.cause ?? "unknown", default: 0] += 1
            flaggedFrames = min(flaggedFrames?.lowerBound ?? point.frame, point.frame)...point.frame
        }
    }

    /// The cause that most of these frames have; `nil` where none counts as faulty.
    package var cause: String? { causes.max { ($0.value, $1.key) < ($1.value, $0.key) }?.key }

    /// Indices of the first and the last frame; `nil` where there is none.
    package var indices: ClosedRange<Int>? {
        guard let first = points.first?.index, let last = points.last?.index else { return nil }
        return first...max(first, last)
    }

    /// Indices of the good frames, in order.
    package func good(_ rule: UsableFrames.Rule = .init()) -> [Int] {
        UsableFrames.worst(of: points, rule).filter(\.isGood).map(\.point.index)
    }

    /// What can be used.
    package func usable(_ rule: UsableFrames.Rule = .init()) -> UsableFrames {
        UsableFrames(points, rule: rule)
    }

    /// All frames by their use, in order of time: what `usable` found of them.
    package func stretches(of usable: UsableFrames) -> [Stretch] {
        var stretches: [Stretch] = []
        func add(_ first: Int, _ last: Int, _ use: Use) {
            if let before = stretches.last, before.use == use {
                stretches[stretches.count - 1] = Stretch(first: before.first, last: last, use: use)
            } else {
                stretches.append(Stretch(first: first, last: last, use: use))
            }
        }
        var intervals = usable.intervals[...]
        var previous: Int?
        for (index, same) in points.chunked(by: \.index) {
            while let next = intervals.first, next.last < index { intervals.removeFirst() }
            if let previous, UsableFrames.missing(from: previous, to: index, step: usable.step) > 0 {
                add(previous + 1, index - 1, .missing)
            }
            previous = index
            let isIn = intervals.first.map { $0.first <= index } ?? false
            add(index, index, Self.use(of: same.map(\.quality), isIn))
        }
        return stretches
    }

    /// The use of the frames of one index: that of the worst.
    private static func use(of qualities: [UsableFrames.Quality], _ isInInterval: Bool) -> Use {
        if qualities.contains(.flagged) { return .flagged }
        if qualities.contains(.unreadable) { return .unreadable }
        guard isInInterval else { return .short }
        return qualities.contains(.suspect) ? .suspect : .usable
    }
}

extension UsableFrames.Quality {
    /// By the reviewers' word first, then by the verdict; where reviewers disagree, the frame counts as faulty.
    fileprivate init(of point: SeriesPoint, _ opinion: Opinion?) {
        guard point.state == .judged else {
            self = .unreadable
            return
        }
        switch opinion {
        case .fault, .disputed: self = .flagged
        case .falseAlarm: self = .good
        case .unsure, nil:
            let isSuspect = point.isSuspect || (point.evidence ?? 0) >= EvidenceRule.limit
            self = point.isFaulty ? .flagged : isSuspect ? .suspect : .good
        }
    }
}

extension [UsableFrames.Point] {
    /// The points of each index, in order.
    fileprivate func chunked(by key: KeyPath<UsableFrames.Point, Int>) -> [(Int, [UsableFrames.Point])] {
        var chunks: [(Int, [UsableFrames.Point])] = []
        for point in self {
            if chunks.last?.0 == point[keyPath: key] {
                chunks[chunks.count - 1].1.append(point)
            } else {
                chunks.append((point[keyPath: key], [point]))
            }
        }
        return chunks
    }
}
