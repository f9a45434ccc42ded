import Faults
import Plate
import Simulation
import Testing

struct FaultTests {
    private static func frame(_ form: FaultForm?, strength: Float = 0.7, seed: UInt64 = 11) -> LabelledFrame {
        let faults = form.map { [Fault(form: $0, strength: strength, seed: seed)] } ?? []
        var scene = SmallMicroscope.make().scene(of: SmallMicroscope.wells[2], faults: faults)
        return scene.frame(0)
    }

    @Test(arguments: FaultForm.allCases.filter { $0.kind != .zShift && $0.kind != .illumination })
    func outsideTheMaskNothingChanges(_ form: FaultForm) {
        let normal = Self.frame(nil).frame
        for seed in 1...3 as ClosedRange<UInt64> {
            let faulty = Self.frame(form, seed: seed)
            let changed = normal.pixels.indices.filter { normal.pixels[$0] != faulty.frame.pixels[$0] }
            #expect(changed.allSatisfy { faulty.mask.values[$0] == 1 })
        }
        #expect(Self.frame(form).mask.values.contains(1))
    }

    @Test(arguments: FaultForm.allCases) func moreStrengthChangesMore(_ form: FaultForm) {
        let normal = Self.frame(nil).frame
        let changes = [0.1, 0.4, 0.7, 1].map { (strength: Float) in
            SmallMicroscope.difference(normal, Self.frame(form, strength: strength).frame)
        }
        #expect(changes == changes.sorted())
        #expect(changes[0] > 0)
    }

    @Test(arguments: [FaultForm.overExposure, .defocus, .missingRows, .hair])
    func theSameFaultIsPutOnFramesOfMoreBits(_ form: FaultForm) {
        let frame = Self.frame(nil).frame
        let fault = Fault(form: form, strength: 0.7, seed: 11)
        let bytes = fault.injected(into: frame)
        for white in [4095, 65_535, 1] as [Float] {
            var deep = frame
            for index in deep.pixels.indices { deep.pixels[index] *= white / 255 }
            let injected = fault.injected(into: deep, white: white)
            #expect(abs(injected.mask.area - bytes.mask.area) < 0.001)
            let off = zip(injected.frame.pixels, bytes.frame.pixels).map { abs($0 * 255 / white - $1) }
            #expect((off.max() ?? 0) < 0.55, "as bytes, but for what bytes round")
            #expect((injected.frame.pixels.max() ?? 0) <= white)
        }
    }

    @Test func defocusMarksTheCells() {
        let mask = Self.frame(.defocus).mask
        #expect((0.01...0.9).contains(mask.area))
    }

    @Test func aFaultLastsFromItsOnsetToItsEnd() {
        let fault = Fault(form: .darkBubble, strength: 0.5, onset: 2, end: 4, seed: 5)
        let microscope = SmallMicroscope.make()
        var faulty = microscope.scene(of: SmallMicroscope.wells[0], faults: [fault])
        var normal = microscope.scene(of: SmallMicroscope.wells[0])
        for index in 0..<6 {
            let (seen, expected) = (faulty.frame(index), normal.frame(index))
            let isActive = (2..<4).contains(index)
            #expect(seen.faults == (isActive ? [fault] : []))
            #expect((seen != expected) == isActive)
        }
    }

    @Test(arguments: Specimen.Variety.allCases) func normalVariationIsNoFault(_ variety: Specimen.Variety) {
        var scene = SmallMicroscope.make().scene(of: SmallMicroscope.wells[3], variety: variety)
        let frame = scene.frame(0)
        #expect(frame.faults.isEmpty)
        #expect(!frame.mask.values.contains(1))
    }

    @Test func everyClassHasForms() {
        #expect(FaultKind.allCases.allSatisfy { !$0.forms.isEmpty })
        #expect(FaultKind.allCases.flatMap(\.forms).count == FaultForm.allCases.count)
    }
}
