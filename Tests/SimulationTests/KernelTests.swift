import Faults
import Plate
import TestSupport
import Testing

@testable import Simulation

/// What is computed many pixels at a time, held to its plain twin to the last bit.
struct KernelTests {
    @Test(arguments: [(33, 70), (16, 32), (5, 3)])
    func lightFallsAsItsFieldSays(height: Int, width: Int) {
        var random = TestGenerator(seed: 1)
        let image = random.floats(height * width, in: 0...1)
        let value = { (row: Float, column: Float) in 1 + 0.013 * row - 0.007 * column + 0.0003 * row * column
        }
        let field = Field(height: height, width: width, value)
        let expected = PlainOptics.lit(image, height: height, width: width, level: 97.3, value)
        #expect(field.times(image, level: 97.3) == expected)
        var inPlace = image.map { $0 * 97.3 }
        field.multiply(&inPlace)
        #expect(inPlace == expected)
    }

    @Test(arguments: [(17, 31), (3, 300)])
    func theCameraRecordsLight(height: Int, width: Int) {
        var random = TestGenerator(seed: 2)
        let pixels = random.floats(height * width, in: -20...290)
        var frame = Frame(height: height, width: width, pixels: pixels)
        let expected = PlainOptics.recorded(frame, seed: 77)
        Camera.record(&frame, quality: nil, seed: 77)
        #expect(frame.pixels == expected)
        #expect(expected.contains(0) && expected.contains(255))
    }

    /// Cells of all forms, in the frame and across its borders.
    @Test(arguments: [Float(-8), 0, 18, 110])
    func cellsArePainted(defocus: Float) {
        let (height, width) = (70, 90)
        var specimen = Specimen(.dense, seed: 3)
        (specimen.density, specimen.dead, specimen.polarised) = (1500, 0.2, 0.6)
        let population = CellPopulation(
            specimen,
            height: height,
            width: width,
            pixelSize: Microscope.pixelSize,
            interval: 8,
            seed: 4
        )
        var painter = CellPainter(pixelSize: Microscope.pixelSize)
        let light = Frame(height: height, width: width, pixels: .init(repeating: 100, count: height * width))
        let empty = Mask(height: height, width: width, values: .init(repeating: 0, count: height * width))
        var (found, expected) = ((light, empty), (light, empty))
        for cell in population.cells {
            let slant: (Float, Float) = (0.1, -0.07)
            painter.paint(cell, defocus: defocus, slant: slant, on: &found.0, mask: &found.1, marks: true)
            PlainCell(cell, defocus: defocus).paint(slant: slant, on: &expected.0, mask: &expected.1)
        }
        #expect(found.0 == expected.0)
        #expect(found.1 == expected.1)
        #expect(Set(population.cells.map(\.form)).count > 2 && found.1 != empty)
    }
}
