import Mathematics
package import Plate

/// The judged frames of one run, lens by lens.
package struct LensTally: Sendable {
    /// The frames of a lens, summed up.
    package struct Summary: Sendable, Equatable {
        /// Judged frames.
        package let frames: Int
        /// Of them, those that are faulty.
        package let faulty: Int
        /// Median severity.
        package let median: Double
    }

    private let rules: PlateRules
    private var severities: [Int: [Double]] = [:]
    private var faulty: [Int: Int] = [:]

    /// Starts without frames; the rules say how the lenses stand.
    package init(rules: PlateRules) {
        self.rules = rules
    }

    /// Adds a judged frame.
    package mutating func add(_ well: Well, severity: Double, isFaulty: Bool) {
        guard let lens = rules.lens(of: well), severity.isFinite else { return }
        severities[lens, default: []].append(severity)
        if isFaulty { faulty[lens, default: 0] += 1 }
    }

    /// The frames of each lens, by its number.
    package var summaries: [Int: Summary] {
        Dictionary(
            uniqueKeysWithValues: severities.map { lens, values in
                (lens, Summary(frames: values.count, faulty: faulty[lens] ?? 0, median: values.median))
            }
        )
    }
}

/// How each lens did in each run, compared with its earlier runs: the table of a control chart (Levey and Jennings 1950).
///
/// A lens that gets dirty or out of focus shows here long before its frames are faulty.
package struct LensTrend: Sendable {
    /// The earlier runs of a lens.
    package struct Past: Sendable, Equatable {
        /// Mean of its medians.
        package let mean: Double
        /// Their standard deviation, above 0.
        package let spread: Double

        /// `nil` where there are fewer than `LensTrend.fewestRuns`, or they do not differ.
        init?(_ medians: [Double]) {
            guard medians.count >= LensTrend.fewestRuns else { return nil }
            let mean = medians.reduce(0, +) / Double(medians.count)
            let squares = medians.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
            let spread = (squares / Double(medians.count - 1)).squareRoot()
            guard spread > 0 else { return nil }
            (self.mean, self.spread) = (mean, spread)
        }
    }

    /// One lens in one run.
    package struct Row: Sendable, Equatable {
        /// The run.
        package let run: String
        /// The lens, numbered from 1, row by row.
        package let lens: Int
        /// Its judged frames.
        package let frames: Int
        /// Of them, those that are faulty.
        package let faulty: Int
        /// Median severity.
        package let median: Double
        /// The earlier runs; `nil` where they do not tell how much runs differ.
        package let past: Past?

        /// z-score of the median against the lens's earlier runs.
        package var deviation: Double? { past.map { (median - $0.mean) / $0.spread } }
        /// Whether somebody should look at the lens.
        package var isOut: Bool { (deviation ?? 0) >= LensTrend.limit }
    }

    /// Earlier runs that are needed to tell how much runs differ.
    package static let fewestRuns = 5
    /// From this z-score on somebody should look at the lens.
    package static let limit = 3.0

    private var runs: [(run: String, lenses: [Int: LensTally.Summary])] = []

    /// Starts without runs.
    package init() {}

    /// Adds a run, which is later than those added before.
    package mutating func add(_ run: String, _ lenses: [Int: LensTally.Summary]) {
        runs.append((run, lenses))
    }

    /// Run by run, and lens by lens within each.
    package var rows: [Row] {
        var before: [Int: [Double]] = [:]
        return runs.flatMap { run, lenses in
            lenses.sorted { $0.key < $1.key }.map { lens, summary in
                defer { before[lens, default: []].append(summary.median) }
                return Row(
                    run: run,
                    lens: lens,
                    frames: summary.frames,
                    faulty: summary.faulty,
                    median: summary.median,
                    past: Past(before[lens] ?? [])
                )
            }
        }
    }

    /// For each lens of a run its rows up to this run, oldest first; the last of them is the run's own.
    package func charts(of run: String) -> [[Row]] {
        let rows = rows
        guard let end = rows.lastIndex(where: { $0.run == run }) else { return [] }
        return Dictionary(grouping: rows[...end], by: \.lens).values.filter { $0.last?.run == run }
            .sorted { ($0.last?.lens ?? 0) < ($1.last?.lens ?? 0) }
    }
}
