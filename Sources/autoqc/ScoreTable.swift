import Foundation

/// The rows of `autoqc score` on standard output: as they come, or ranked at the end.
struct ScoreTable {
    private let isRanked: Bool
    private var held: [(severity: Double, row: String)] = []

    /// Begins with the header.
    init(header: String, isRanked: Bool) {
        self.isRanked = isRanked
        Self.write(header)
    }

    /// Takes a row; a frame without a verdict is infinitely severe.
    mutating func add(_ row: String, severity: Double) {
        if isRanked { held.append((severity, row)) } else { Self.write(row) }
    }

    /// Prints what was held back, the most severe first; equals keep their order.
    mutating func finish() {
        let order = held.indices.sorted { (-held[$0].severity, $0) < (-held[$1].severity, $1) }
        for index in order { Self.write(held[index].row) }
        held = []
    }

    private static func write(_ line: String) {
        FileHandle.standardOutput.write(Data((line + "\n").utf8))
    }
}
