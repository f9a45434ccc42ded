package import Faults
import Foundation
package import Plate
import Reporting
import Tables

/// The truth about one frame of a simulated plate: a line of `truth.csv`.
///
/// **Format.** UTF-8, a header, then `file,run,well,frame,fault,strength,closed`: the path in the plate's folder; what
/// the name says, pages of a movie counted on; classes and strengths (0 to 1), several with `;` between, empty for a
/// normal frame; when the file was closed or renamed, UTC with ms. A line is written when its file is closed, by one
/// system call, so that a killed run leaves a valid file; a last line without its end is no line.
package struct TruthRow: Sendable, Equatable {
    /// A fault that a frame shows.
    package struct Shown: Sendable, Equatable {
        /// Published class.
        package let kind: FaultKind
        /// 0 to 1.
        package let strength: Double
    }

    /// Path in the plate's folder.
    package let file: String
    /// Run, well and position in time.
    package let frame: FrameID
    /// The faults that the frame shows.
    package let faults: [Shown]
    /// When the file was complete.
    package let closed: Timestamp

    static let header = ["file", "run", "well", "frame", "fault", "strength", "closed"]

    var line: String {
        let kinds = faults.map(\.kind.rawValue).joined(separator: ";")
        let strengths = faults.map { String(format: "%.3f", $0.strength) }.joined(separator: ";")
        return CSV.row([
            file, frame.run, frame.well.description, "\(frame.index)", kinds, strengths, closed.iso8601,
        ])
    }

    /// Reads a whole file; throws a sentence with file and line.
    package static func load(path: String) throws(SimulationError) -> [TruthRow] {
        guard let data = FileManager.default.contents(atPath: path) else {
            throw SimulationError("\(path): cannot be read; name the truth.csv of `autoqc simulate plate`")
        }
        let table = CSVTable(data, separator: .comma)
        guard table.header == header else {
            throw SimulationError(
                "\(path):1: the header is not `\(CSV.row(header))`; name the truth.csv of `autoqc simulate plate`"
            )
        }
        // A row without its line end is what a killed run left.
        return try table.rows.dropLast(table.isCutOff ? 1 : 0).map { row throws(SimulationError) in
            guard row.fault == nil, let truth = TruthRow(fields: row.fields) else {
                throw SimulationError(
                    "\(path):\(row.line): this line has not the seven fields of a truth table; was the file changed?"
                )
            }
            return truth
        }
    }
}

extension TruthRow {
    /// Reads the fields of a line; `nil` if they are none.
    init?(fields: [String]) {
        guard fields.count == 7, !fields[0].isEmpty, !fields[1].isEmpty, let well = Well(fields[2]),
            let index = Int(fields[3]), FrameID.indices.contains(index),
            let closed = Timestamp(iso8601: fields[6])
        else { return nil }
        let kinds = fields[4].split(separator: ";").compactMap { FaultKind(rawValue: String($0)) }
        let strengths = fields[5].split(separator: ";").compactMap { Double($0) }
        let count = fields[4].split(separator: ";").count
        guard kinds.count == count, strengths.count == count,
            strengths.allSatisfy({ (0...1).contains($0) })
        else { return nil }
        self.init(
            file: fields[0],
            frame: FrameID(run: fields[1], well: well, index: index),
            faults: zip(kinds, strengths).map { Shown(kind: $0, strength: $1) },
            closed: closed
        )
    }
}

extension Timestamp {
    /// The time of day, in whole ms.
    static var thisMillisecond: Timestamp {
        Timestamp(nanoseconds: Timestamp.now.nanoseconds / 1_000_000 * 1_000_000)
    }
}

/// `truth.csv` while a plate is written.
final class TruthLog {
    private let file: NewFile
    private(set) var count = 0
    private(set) var faulty = 0

    /// Makes the file; its folder has to exist.
    init(_ path: String) throws(SimulationError) {
        file = try NewFile(path, appends: true)
        try file.write(Data(CSV.text([TruthRow.header]).utf8))
    }

    /// Writes the line of a frame whose file has just been closed.
    func append(_ step: PlatePlan.Step, _ faults: [Fault], closed: Timestamp) throws(SimulationError) {
        let row = TruthRow(
            file: step.path,
            frame: step.frame,
            faults: faults.map { TruthRow.Shown(kind: $0.kind, strength: Double($0.strength)) },
            closed: closed
        )
        try file.write(Data((row.line + "\n").utf8))
        count += 1
        faulty += faults.isEmpty ? 0 : 1
    }
}
