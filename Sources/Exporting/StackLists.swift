import Files
import Foundation
package import Ledger
import Plate
import Reporting
import Rules

/// Usable frames as ImageJ and Fiji open them: a text file for each interval, with the absolute path of a frame's file on each line
/// (*File > Import > Stack From List...*).
package enum StackLists {
    /// What was written.
    package struct Outcome: Sendable, Equatable {
        /// Lists.
        package var lists = 0
        /// Frames in them.
        package var frames = 0
        /// Intervals without a list: their frames are pages of movies, or a path has a line break.
        package var leftOut = 0
    }

    /// Writes `RUN/WELL_FIRST-LAST.txt` for each interval into a folder, which is made; of a view, `RUN/WELL_VIEW_FIRST-LAST.txt`.
    ///
    /// Bad frames that an interval bridges are not in its list.
    package static func write(
        _ tables: UsableTables,
        ledger: FrameLedger,
        to folder: String
    ) throws -> Outcome {
        var outcome = Outcome()
        for view in tables.views where !view.usable.intervals.isEmpty {
            let folder = "\(folder)/\(SafeName.of(view.run))"
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
            let selection = FrameLedger.Selection(view: view.view)
            var files: [Int: FrameSource] = [:]
            for record in try ledger.records(of: view.well, run: view.run, selection).reversed() {
                if let index = record.frame?.index { files[index] = record.source }
            }
            let place = FrameID(run: view.run, well: view.well, view: view.view, index: 0).place
            for interval in view.usable.intervals {
                let frames = view.goodFrames.filter { (interval.first...interval.last).contains($0) }
                let sources = frames.compactMap { files[$0] }
                guard sources.allSatisfy({ $0.page == 0 && !$0.absolutePath.contains(where: \.isNewline) })
                else {
                    outcome.leftOut += 1
                    continue
                }
                let name = SafeName.of("\(place)_\(interval.first)-\(interval.last)")
                let text = sources.map { $0.absolutePath + "\n" }.joined()
                try OutputFile.write(text: text, to: "\(folder)/\(name).txt")
                outcome.lists += 1
                outcome.frames += sources.count
            }
        }
        return outcome
    }
}
