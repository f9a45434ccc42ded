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

    @Test(arguments: [(1, 1), (1, 40), (40, 1), (19, 70)]) func boundsAgreeWithTheDefinition(
        height: Int,
        width: Int
    ) {
        for step in 1...60 {
            let values = (0..<height * width).map {
                UInt8(($0 + 1) * 7919 % (step * step) == step / 2 ? 1 : 0)
            }
            let mask = Mask(height: height, width: width, values: values)
            let faulty = values.indices.filter { values[$0] == 1 }
            let (rows, columns) = (faulty.map { $0 / width }, faulty.map { $0 % width })
            #expect(mask.area == Double(faulty.count) / Double(values.count))
            guard let top = rows.min(), let bottom = rows.max(), let left = columns.min(),
                let right = columns.max()
            else {
                #expect(mask.boundingBox == nil)
                continue
            }
            let size = (width: right - left + 1, height: bottom - top + 1)
            #expect(
                mask.boundingBox == PixelRectangle(x: left, y: top, width: size.width, height: size.height)
            )
        }
    }
}
