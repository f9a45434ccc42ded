/// The published classes of faulty frames.
package enum FaultKind: String, Sendable, CaseIterable, Codable {
    /// A bubble of air in the medium.
    case airBubble = "air-bubble"
    /// Dust in the light path, or rows that the camera did not deliver.
    case artifact
    /// The whole frame out of focus.
    case zShift = "z-shift"
    /// Too much, too little or uneven light.
    case illumination
    /// Foreign bodies in the well.
    case contamination

    /// What a fault of this class may look like.
    package var forms: [FaultForm] { FaultForm.allCases.filter { $0.kind == self } }
}
