/// One fault of one well: what, how strong, and from which frame to which.
package struct Fault: Sendable, Equatable, Codable {
    /// What it looks like.
    package let form: FaultForm
    /// How strong it is, from 0 (hardly to be seen) to 1; size and contrast grow with it.
    package let severity: Float
    /// By how many um the focus is shifted, for a `defocus`; `nil` where it follows from the severity.
    package let shift: Float?
    /// First frame that shows it.
    package let onset: Int
    /// First frame that does not show it any more; `nil`: it stays.
    package let end: Int?
    /// Where it lies and what shape it has follow from here.
    package let seed: UInt64

    /// Takes a severity of 0 to 1 and an end after the onset; others are a programmer's mistake.
    package init(
        form: FaultForm,
        severity: Float,
        shift: Float? = nil,
        onset: Int = 0,
        end: Int? = nil,
        seed: UInt64
    ) {
        precondition((0...1).contains(severity), "a severity of \(severity) is not between 0 and 1")
        precondition(end.map { $0 > onset } ?? true, "a fault cannot end at \(end ?? 0), begun at \(onset)")
        self.form = form
        self.severity = severity
        self.shift = shift
        self.onset = onset
        self.end = end
        self.seed = seed
    }

    /// The published class.
    package var kind: FaultKind { form.kind }

    /// Whether a frame shows it.
    package func isActive(at frame: Int) -> Bool { frame >= onset && end.map { frame < $0 } ?? true }
}
