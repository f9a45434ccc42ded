import Foundation
import Plate
import Tables

/// `truth.csv` while a plate is written.
final class TruthLog {
    private let file: NewFile
    private(set) var count = 0
    private(set) var faulty = 0

    /// Makes the file; its folder has to exist.
    init(_ path: String) throws(SimulationError) {
        file = try NewFile(path, appends: true)
        try file.write(Data((CSV.text([TruthRow.header])).utf8))
    }

    /// Writes the line of a frame whose file has just been closed.
    func append(_ step: PlatePlan.Step, _ faults: [Fault], closed: Timestamp) throws(SimulationError) {
        let row = TruthRow(
            file: step.path,
            frame: step.frame,
            faults: faults.map { TruthRow.Shown(kind: $0.kind, severity: Double($0.severity)) },
            closed: closed
        )
        try file.write(Data((row.line + "\n").utf8))
        count += 1
        faulty += faults.isEmpty ? 0 : 1
    }
}
