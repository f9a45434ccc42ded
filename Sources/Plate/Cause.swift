/// What probably makes a frame faulty.
package enum Cause: String, Sendable, Equatable, CaseIterable, Codable {
    /// A bubble of air in the medium.
    case airBubble = "air-bubble"
    /// Dust in the light path, or rows that the camera did not deliver.
    case artifact
    /// The whole frame out of focus.
    case zShift = "z-shift"
    /// Too much, too little or uneven light.
    case illumination
    /// Hair, fibres, mould or debris in the well.
    case contamination
    /// Every pixel alike: no image at all.
    case blank
    /// The same image as before, to the last bit.
    case frozen
    /// None that is likely enough.
    case unknown

    /// What to do about it, in one line; `nil` where nothing is known.
    package var advice: String? {
        switch self {
        case .airBubble: "degas the medium, pipette the well again or skip it"
        case .artifact: "clean the lens and the plate's bottom; check the camera's cable if rows are missing"
        case .zShift: "refocus the well; if its neighbours drift too, check the stage and the plate's seat"
        case .illumination: "check lamp, exposure and aperture; condensation on the lid looks like this, too"
        case .contamination: "skip the well and look for the source: tips, medium, dust from the lid"
        case .blank: "check the lamp's shutter and the camera"
        case .frozen: "restart the acquisition software: the camera delivers the same image again and again"
        case .unknown: nil
        }
    }
}

/// A cause and how sure it is.
package struct ProbableCause: Sendable, Equatable {
    /// The cause.
    package let cause: Cause
    /// From 0 to 1, as a probability among the known causes; 0 where it was not recorded.
    package let confidence: Double

    /// Nothing is known.
    package static let unknown = ProbableCause(.unknown, confidence: 0)

    /// Names a cause.
    package init(_ cause: Cause, confidence: Double) {
        (self.cause, self.confidence) = (cause, confidence)
    }
}
