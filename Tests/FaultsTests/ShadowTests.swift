import Faults
import Testing

struct ShadowTests {
    private static func light(_ strength: Float, seed: UInt64) -> [Float] {
        let fault = Fault(form: .shadow, strength: strength, seed: seed)
        return fault.image(height: 200, width: 320, at: 0)?.values ?? []
    }

    @Test(arguments: [(strength: 0, left: 0.8), (0.5, 0.55), (1, 0.3)] as [(strength: Float, left: Float)])
    func aThirdToAHalfOfTheFieldLosesLight(strength: Float, left: Float) {
        for seed in 1...20 as ClosedRange<UInt64> {
            let light = Self.light(strength, seed: seed)
            #expect(abs((light.min() ?? 0) - left) < 0.02)
            #expect((light.max() ?? 0) == 1)
            let dark = light.count { $0 < (1 + left) / 2 }
            #expect((0.3...0.53).contains(Double(dark) / Double(light.count)))
        }
    }

    @Test func itComesFromEverySide() {
        let corners = [0, 319, 199 * 320, 199 * 320 + 319]
        let dark = (1...40 as ClosedRange<UInt64>).map { seed in
            let light = Self.light(0.5, seed: seed)
            return corners.map { light[$0] < 0.8 }
        }
        for corner in corners.indices {
            #expect((5...35).contains(dark.count { $0[corner] }), "corner \(corner)")
        }
    }
}
