package import Plate
import Randomness

extension Fault {
    /// Puts the fault on a normal frame with grey values of 0 to `white`, which is 255 where a pixel has 8 bits.
    ///
    /// A body in the light path multiplies the grey values, with the same soft edges as in a simulated frame. Missing rows
    /// keep the sensor's noise. Cells out of focus lose detail, may turn from dark to bright or have rings, and vanish at
    /// last; the mask is the area that they cover then, and that they covered before. The result has whole grey values,
    /// unless white is 1.
    ///
    /// A copy that is not `rounded` is the same on every grey scale but for its unit.
    package func injected(into original: Frame, white: Float = 255, rounded: Bool = true) -> LabelledFrame {
        precondition(white > 0, "white is \(white)")
        // Faults are drawn in grey values of 8 bits.
        let unit = white / 255
        var frame = original
        if unit != 1 { for index in frame.pixels.indices { frame.pixels[index] /= unit } }
        var result = frame
        var mask = Mask(
            height: frame.height,
            width: frame.width,
            values: [UInt8](repeating: 0, count: frame.pixels.count)
        )
        if let canvas = image(height: frame.height, width: frame.width, at: onset) {
            var random = SplitMix64(seed: seed, 0x1213)
            for index in result.pixels.indices where canvas.values[index] != 1 {
                let light = frame.pixels[index] * canvas.values[index]
                result.pixels[index] = light + (1 - min(canvas.values[index], 1)) * random.drawGaussian()
            }
            mask.values = canvas.marks
        } else {
            (result, mask) = defocused(frame)
        }
        for index in result.pixels.indices {
            let grey = min(max(result.pixels[index], 0), 255) * unit
            result.pixels[index] = rounded && white > 1 ? grey.rounded() : grey
        }
        return LabelledFrame(frame: result, mask: mask, faults: [self])
    }
}

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

    /// A fault of any strength from 0.15 on: classes follow one another with the number, and so do the forms of each.
    package static func fault(number: Int, seed: UInt64) -> Fault {
        let kinds = FaultKind.allCases
        let forms = kinds[number % kinds.count].forms
        var random = SplitMix64(seed: seed, 0xC0B1, UInt64(number))
        return Fault(
            form: forms[number / kinds.count % forms.count],
            strength: random.draw(0.15...1),
            seed: random.next()
        )
    }

    /// The brightest value of the frame's grey scale: 1 for shares, else that of 8, 12 or 16 bits.
    private static func white(of frame: Frame) -> Float { white(ofBrightest: frame.pixels.max() ?? 0) }

    /// The brightest value of the grey scale that a value is of: 1 for shares, else that of 8, 12 or 16 bits.
    package static func white(ofBrightest brightest: Float) -> Float {
        [1, 255, 4095, 65_535].first { brightest <= $0 } ?? brightest
    }
}
