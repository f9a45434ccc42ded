/// What a fault looks like; each belongs to one published class.
package enum FaultForm: String, Sendable, CaseIterable, Codable {
    /// A black disc with a soft edge and faint rings around it.
    case darkBubble = "dark-bubble"
    /// A bright disc with dark and bright rings of refraction at its rim.
    case brightBubble = "bright-bubble"
    /// Dark or bright specks in the light path.
    case dust
    /// Black bands of missing rows.
    case missingRows = "missing-rows"
    /// The focus far below or above the cells.
    case defocus
    /// Too long an exposure: bright, in places saturated.
    case overExposure = "over-exposure"
    /// Too short an exposure.
    case underExposure = "under-exposure"
    /// The aperture's edge in the field.
    case offCentreAperture = "off-centre-aperture"
    /// Light from one side.
    case gradient
    /// A soft saturated region.
    case glare
    /// One long curved hair.
    case hair
    /// A few short, thick or thin fibres.
    case fibre
    /// A branching network of hyphae with spores.
    case mould
    /// A heap of dark and bright grains.
    case debris
    /// Large bodies far from focus.
    case blobs

    /// The published class.
    package var kind: FaultKind {
        switch self {
        case .darkBubble, .brightBubble: .airBubble
        case .dust, .missingRows: .artifact
        case .defocus: .zShift
        case .overExposure, .underExposure, .offCentreAperture, .gradient, .glare: .illumination
        case .hair, .fibre, .mould, .debris, .blobs: .contamination
        }
    }

    /// Whether it leaves the pixels outside its mask as they were.
    package var isLocal: Bool { kind != .zShift && kind != .illumination }
}
