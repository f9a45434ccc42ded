/// Which frame this is: run, well and position in the well's time series.
package struct FrameID: Hashable, Sendable, Comparable, CustomStringConvertible {
    /// Name of the run (one plate on the microscope), as in the file name.
    package let run: String
    /// The well the frame shows.
    package let well: Well
    /// Position in time, as in the file name; pages of a movie count on from there.
    package let index: Int

    /// Names one frame.
    package init(run: String, well: Well, index: Int) {
        self.run = run
        self.well = well
        self.index = index
    }

    /// For example `01_B01_f100`.
    package var description: String { "\(run)_\(well)_f\(index)" }

    /// Orders by run, then well, then time.
    package static func < (left: FrameID, right: FrameID) -> Bool {
        (left.run, left.well, left.index) < (right.run, right.well, right.index)
    }
}
