/// How files come into being under the eyes of a daemon.
package enum PlateWriter: String, Sendable, CaseIterable {
    /// Opened, written in one go, closed.
    case plain
    /// Written in pieces with pauses, several files at once.
    case slow
    /// Written under a temporary name, then renamed.
    case rename
    /// All wells of a scan at once, then nothing until the next.
    case burst
}
