/// How a well stands, as the plate map shows it.
enum WellState: String, Codable, Sendable, CaseIterable {
    /// No frame of it has an outcome.
    case empty
    /// Its last frames are normal.
    case normal
    /// One of its last three frames is faulty, and the well does not count as faulty.
    case suspect
    /// It counts as faulty, after hysteresis.
    case faulty
    /// Its frames stopped coming while those of other wells came.
    case stalled
    /// Its last frame could not be judged.
    case unreadable
}
