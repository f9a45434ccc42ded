/// How urgent a journal record is, as in `syslog(3)`.
package enum JournalPriority: Int, Sendable, CaseIterable {
    /// The system is unusable.
    case emergency
    /// Somebody must act at once.
    case alert
    /// Critical.
    case critical
    /// Data is lost or an operator is needed.
    case error
    /// Odd, but nothing is lost.
    case warning
    /// Normal but worth a look.
    case notice
    /// Done.
    case info
    /// For developers.
    case debug
}
