package import Plate
import Randomness

/// Copies of normal frames with a fault, by which a detector is tested while it works.
package enum TestFault {
    /// Strengths of the faults of a class: clearly visible, but not the strongest there are.
    private static let strengths: [Float] = [0.6, 0.9]
    /// Strength of numbered faults: visible to a person, but missed by a model that has become too tolerant.
    private static let numberedStrength: Float = 0.6
    /// Smallest share of a frame that a fault of a class covers.
    ///
    /// A change of focus, for example, is not visible in a well with hardly any cells.
    private static let leastArea = 0.002

    /// A copy of a frame with a fault of a class, the same for the same frame, class and seed.
    ///
    /// `nil` where the simulator has no such fault, or the frame would not show it. Grey values keep the frame's scale.
    package static func copy(of frame: Frame, cause: Cause, seed: UInt64) -> Frame? {
        guard let kind = FaultKind(rawValue: cause.rawValue) else { return nil }
        var random = SplitMix64(state: seed)
        guard let form = kind.forms.randomElement(using: &random),
            let strength = strengths.randomElement(using: &random)
        else { return nil }
        let fault = Fault(form: form, strength: strength, seed: random.next())
        let injected = fault.injected(into: frame, white: white(of: frame))
        return injected.mask.area >= leastArea ? injected.frame : nil
    }

    /// A copy of a frame with the fault of a number: classes follow one another, and so do the forms of each.
    ///
    /// `nil` for frames of more than 8 bits.
    package static func copy(of frame: Frame, number: Int) -> Frame? {
        let white = white(of: frame)
        guard white <= 255 else { return nil }
        let kinds = FaultKind.allCases
        let forms = kinds[number % kinds.count].forms
        var random = SplitMix64(state: UInt64(number))
        let fault = Fault(
            form: forms[number / kinds.count % forms.count],
            strength: numberedStrength,
            seed: random.next()
        )
        return fault.injected(into: frame, white: white).frame
    }

    /// The brightest value of the frame's grey scale: 1 for shares, else that of 8, 12 or 16 bits.
    private static func white(of frame: Frame) -> Float {
        let brightest = frame.pixels.max() ?? 0
        return [1, 255, 4095, 65_535].first { brightest <= $0 } ?? brightest
    }
}
