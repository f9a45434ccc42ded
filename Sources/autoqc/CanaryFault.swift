import Faults
import Plate
import Randomness

/// The simulated microscope's faults as the daemon tests itself with them.
enum CanaryFault {
    /// How strong they are, the one or the other: plain to see, and no more than that.
    private static let strengths: [Float] = [0.6, 0.9]
    /// Share of a frame that a fault has to cover: of a well with hardly a cell nobody can tell the focus.
    private static let leastArea = 0.002

    /// A copy of a frame with a fault of a class; `nil` where there is no such fault, or it would not be seen.
    static func copy(of frame: Frame, cause: Cause, seed: UInt64) -> Frame? {
        guard let kind = FaultKind(rawValue: cause.rawValue) else { return nil }
        var random = SplitMix64(state: seed)
        guard let form = kind.forms.randomElement(using: &random),
            let strength = strengths.randomElement(using: &random)
        else { return nil }
        let fault = Fault(form: form, strength: strength, seed: random.next())
        let injected = fault.injected(into: frame, white: white(of: frame))
        return injected.mask.area >= leastArea ? injected.frame : nil
    }

    /// The brightest value that the camera can give: of 8, 12 or 16 bits, or 1 for shares of it.
    private static func white(of frame: Frame) -> Float {
        let brightest = frame.pixels.max() ?? 0
        return [1, 255, 4095, 65_535].first { brightest <= $0 } ?? brightest
    }
}
