import Plate
import Testing

@testable import Reporting

struct MaskOutlineTests {
    @Test func aHoleIsARingOfItsRegion() {
        let outline = MaskOutline(Sample.mask("####\n#..#\n#..#\n####"))
        #expect(outline.regions.count == 1)
        let rings = outline.regions.first?.rings ?? []
        #expect(rings.count == 2)
        #expect(rings.map(MaskOutline.isOuter) == [true, false])
        #expect(rings.map(\.count) == [5, 5])
    }

    @Test func touchingCornersDoNotJoinRegionsOrCrossRings() {
        let apart = MaskOutline(Sample.mask("##..\n##..\n..#.\n...."))
        #expect(apart.regions.map(\.pixels) == [4, 1])
        // A loop that closes at a corner only: its inside is a hole that touches the outer ring there.
        let loop = MaskOutline(Sample.mask("###\n#.#\n##."))
        #expect(loop.regions.count == 1)
        #expect(loop.regions.first?.rings.count == 2)
        for ring in loop.regions.flatMap(\.rings) { #expect(Set(ring.dropLast()).count == ring.count - 1) }
    }

    @Test func ringsEncloseJustTheirPixels() {
        var state: UInt64 = 7
        for density in [1, 3, 5, 7] as [UInt64] {
            let values = (0..<40 * 30).map { _ in
                state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
                return UInt8((state >> 33) % 8 < density ? 1 : 0)
            }
            let mask = Mask(height: 30, width: 40, values: values)
            for region in MaskOutline(mask, limit: .max).regions {
                #expect(region.rings.reduce(0) { $0 + doubleArea($1) } == 2 * region.pixels)
                #expect(region.rings.filter(MaskOutline.isOuter).count == 1)
                for ring in region.rings { #expect(ring.first == ring.last) }
            }
            let pixels = MaskOutline(mask, limit: .max).regions.reduce(0) { $0 + $1.pixels }
            #expect(pixels == values.reduce(0) { $0 + Int($1) })
        }
    }

    @Test func onlyTheLargestRegionsAreKept() {
        let outline = MaskOutline(Sample.mask("#.##.###\n........\n#.##.###"), limit: 3)
        #expect(outline.regions.map(\.pixels) == [3, 3, 2])
        #expect(MaskOutline(Sample.mask("...")).regions.isEmpty)
    }

    private func doubleArea(_ ring: [MaskOutline.Corner]) -> Int {
        zip(ring, ring.dropFirst()).reduce(0) { $0 + $1.0.x * $1.1.y - $1.1.x * $1.0.y }
    }
}
