import Mathematics
package import Plate

/// The judged frames of one run, lens by lens.
package struct LensTally: Sendable {
    /// What became of a lens's frames.
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

    /// Knows how the lenses stand.
    package init(rules: PlateRules) {
        self.rules = rules
    }

    /// Takes a judged frame.
    package mutating func add(_ well: Well, severity: Double, isFaulty: Bool) {
        guard let lens = rules.lens(of: well), severity.isFinite else { return }
        severities[lens, default: []].append(severity)
        if isFaulty { faulty[lens, default: 0] += 1 }
    }

    /// What became of the frames of each lens, by its number.
    package var summaries: [Int: Summary] {
        Dictionary(
            uniqueKeysWithValues: severities.map { lens, values in
                (lens, Summary(frames: values.count, faulty: faulty[lens] ?? 0, median: values.median))
            }
        )
    }
}
