/// Which frames go into which files.
package enum PlateLayout: String, Sendable, CaseIterable {
    /// `RUN_WELL_fFRAME.tiff`, all in one folder.
    case flat
    /// The same names in a folder for each well, made with its first frame.
    case perWell = "per-well"
    /// `RUN_WELL_f0.tiff`: one file of many pages for each well, closed at the end.
    case movie
}
