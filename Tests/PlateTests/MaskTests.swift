import Plate
import Testing

struct MaskTests {
    @Test func boundsAndAreaOfAScatteredMask() {
        var mask = Mask(height: 6, width: 10, values: [UInt8](repeating: 0, count: 60))
        #expect(mask.boundingBox == nil)
        #expect(mask.area == 0)
        for (row, column) in [(1, 7), (3, 2), (4, 4)] { mask.values[row * 10 + column] = 1 }
        #expect(mask.boundingBox == PixelRectangle(x: 2, y: 1, width: 6, height: 4))
        #expect(mask.boundingBox?.description == "2,1,6,4")
        #expect(mask.area == 0.05)
    }
}
