/// The severity above which a frame is faulty, as a configuration gives it.
package enum SeverityThreshold: Sendable, Equatable {
    /// What the model was calibrated to.
    case calibrated
    /// A severity of the user's own.
    case severity(Double)

    /// The user's own severity, if there is one.
    package var severity: Double? {
        if case .severity(let value) = self { value } else { nil }
    }
}
