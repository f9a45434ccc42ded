package import Plate

/// One fault of one well: its form, its strength, and the frames that show it.
package struct Fault: Sendable, Equatable, Codable {
    /// Its form.
    package let form: FaultForm
    /// Strength from 0 (hardly visible) to 1: size and contrast grow with it.
    package let strength: Float
    /// Shift of the focus in um, for a `defocus`; `nil` where it follows from the strength.
    package let shift: Float?
    /// First frame that shows it.
    package let onset: Int
    /// First frame that does not show it any more; `nil` for a fault that stays.
    package let end: Int?
    /// Seed of its place and shape.
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
        (self.form, self.strength, self.shift) = (form, strength, shift)
        (self.onset, self.end, self.seed) = (onset, end, seed)
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

    /// The forms that a fault of this class may have.
    package var forms: [FaultForm] { FaultForm.allCases.filter { $0.kind == self } }
}

/// The form of a fault; each belongs to one published class.
package enum FaultForm: String, Sendable, CaseIterable, Codable {
    /// A black disc with a soft edge and faint rings around it.
    case darkBubble = "dark-bubble"
    /// A bright disc with dark and bright rings of refraction at its rim.
    case brightBubble = "bright-bubble"
    /// Dark or bright grains of dust in the light path.
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
    /// A part of the field with less light, from a side or a corner on: something stands in the lamp's way.
    case shadow
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
        case .overExposure, .underExposure, .offCentreAperture, .gradient, .glare, .shadow: .illumination
        case .hair, .fibre, .mould, .debris, .blobs: .contamination
        }
    }
}

/// A frame, simulated or real, with the truth about its faults.
package struct LabelledFrame: Sendable, Equatable {
    /// Grey values.
    package let frame: Frame
    /// The pixels that a fault changes; for a Z-shift, those that the cells cover, though they may be gone.
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
