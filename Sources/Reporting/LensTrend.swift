public import Plate
public import Reporting

/// How each lens did in each run, and how far that is from the runs before: the table of a control chart (Levey and
/// Jennings 1950).
///
/// A lens that gets dirty or out of focus shows here long before its frames are faulty.
public struct LensTrend {
    /// One lens in one run.
    public struct Row: Sendable, Equatable {
        /// The run.
        public let run: String
        /// The lens, numbered from 1, row by row.
        public let lens: Int
        /// Its judged frames.
        public let frames: Int
        /// Of them, those that are faulty.
        public let faulty: Int
        /// Median severity.
        public let median: Double
        /// How far the median is from those of the lens's runs before, in their standard deviation; `nil` where there
        /// are fewer than `LensTrend.fewestRuns`, or they do not differ.
        public let deviation: Double?
    }

    /// Runs before that tell how much runs differ.
    public static let fewestRuns = 5
    /// From this deviation on a lens is to be looked at.
    public static let limit = 3.0

    private struct Tally {
        var faulty = 0
        var severities: [Double] = []
    }

    private let rules: PlateRules
    private var runs: [String] = []
    private var tallies: [String: [Int: Tally]] = [:]

    /// Knows how the lenses stand.
    public init(rules: PlateRules) {
        self.rules = rules
    }

    /// Takes a judged frame; runs are in the order of their first one.
    public mutating func add(_ frame: FrameID, severity: Double, isFaulty: Bool) {
        guard let lens = rules.lens(of: frame.well), severity.isFinite else { return }
        if tallies[frame.run] == nil { runs.append(frame.run) }
        tallies[frame.run, default: [:]][lens, default: Tally()].severities.append(severity)
        if isFaulty { tallies[frame.run]?[lens]?.faulty += 1 }
    }

    /// Run by run, and lens by lens within each.
    public var rows: [Row] {
        var before: [Int: [Double]] = [:]
        return runs.flatMap { run in
            (tallies[run] ?? [:]).sorted { $0.key < $1.key }.map { lens, tally in
                let sorted = tally.severities.sorted()
                let median = (sorted[(sorted.count - 1) / 2] + sorted[sorted.count / 2]) / 2
                defer { before[lens, default: []].append(median) }
                return Row(
                    run: run,
                    lens: lens,
                    frames: sorted.count,
                    faulty: tally.faulty,
                    median: median,
                    deviation: Self.deviation(of: median, from: before[lens] ?? [])
                )
            }
        }
    }

    private static func deviation(of value: Double, from before: [Double]) -> Double? {
        guard before.count >= fewestRuns else { return nil }
        let mean = before.reduce(0, +) / Double(before.count)
        let squares = before.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
        let spread = (squares / Double(before.count - 1)).squareRoot()
        return spread > 0 ? (value - mean) / spread : nil
    }
}
