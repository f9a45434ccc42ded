/// Whether a frame was judged in its turn.
package enum Tier: String, Sendable, Equatable, CaseIterable {
    /// In its turn.
    case full
    /// After newer frames of its well: it waited while the plate came faster than this machine judges.
    case deferred
}
