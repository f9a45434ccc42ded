/// The moments between the effects of a batch, at each of which a crash must do no harm; tests crash there.
enum PipelineStep: CaseIterable, Sendable {
    /// The batch was judged, and nothing is written yet.
    case judged
    /// One of the masks is written.
    case maskWritten
    /// The alarm log is written.
    case alarmsWritten
    /// The quarantine log is written.
    case quarantineWritten
    /// The journal was told.
    case journalTold
    /// The ledger has the batch.
    case recorded
}
