/// How much was done for a verdict; less where a plate comes faster than this machine judges.
package enum Tier: String, Sendable, Equatable, CaseIterable {
    /// Everything that the model was calibrated with, in turn.
    case full
    /// Two passes over the frame where the model has four; only for models that have four.
    case reduced
    /// Everything, but after newer frames of the plate: this one waited while the machine was behind.
    case deferred
}
