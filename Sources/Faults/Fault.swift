package import Plate

/// One fault of one well: what, how strong, and from which frame to which.
package struct Fault: Sendable, Equatable, Codable {
    /// What it looks like.
    package let form: FaultForm
    /// How strong it is, from 0 (hardly to be seen) to 1; size and contrast grow with it.
    package let strength: Float
    /// By how many um the focus is shifted, for a `defocus`; `nil` where it follows from the strength.
    package let shift: Float?
    /// First frame that shows it.
    package let onset: Int
    /// First frame that does not show it any more; `nil`: it stays.
    package let end: Int?
    /// Where it lies and what shape it has follow from here.
    package let seed: UInt64

    /// Takes a strength of 0 to 1 and an end after the onset; others are a programmer's mistake.
    package init(
        form: FaultForm,
        strength: Float,
        shift: Float? = nil,
        onset: Int = 0,
        end: Int? = nil,
        seed: UInt64
    ) {
        precondition((0...1).contains(strength), "a strength of \(strength) is not between 0 and 1")
        precondition(end.map { $0 > onset } ?? true, "a fault cannot end at \(end ?? 0), begun at \(onset)")
        self.form = form
        self.strength = strength
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

/// A frame, simulated or real, with the truth about its faults.
package struct LabelledFrame: Sendable, Equatable {
    /// Grey values.
    package let frame: Frame
    /// The pixels that a fault changes; of a Z-shift, what the cells cover.
    package let mask: Mask
    /// The faults that it shows.
    package let faults: [Fault]

    /// Joins a frame with its truth.
    package init(frame: Frame, mask: Mask, faults: [Fault]) {
        (self.frame, self.mask, self.faults) = (frame, mask, faults)
    }

    /// A frame without a fault: its mask is empty.
    package init(normal frame: Frame) {
        let none = [UInt8](repeating: 0, count: frame.pixels.count)
        self.init(
            frame: frame,
            mask: Mask(height: frame.height, width: frame.width, values: none),
            faults: []
        )
    }
}
