import Faults
import Foundation
import Frames
import Plate
import Simulation
import TestSupport
import Testing

struct StatisticsTests {
    @Test(.enabled(if: TestData.data != nil, Comment(rawValue: TestData.missingData)))
    func simulatedFramesAreLikeRealOnes() throws {
        let folder = try #require(TestData.data)
        let real = try ["complexeye/01_A1_f300.tiff", "complexeye/01_B1_f100.tiff"].map { name in
            let frame = try TIFFReader(path: folder.appending(path: name).path).frame(page: 0)
            // The middle, without the bubble; small, for the sake of debug builds.
            return FrameStatistics(Self.part(frame, row: 200, column: 400))
        }
        var simulated: [FrameStatistics] = []
        for number in 1...4 {
            let well = try #require(Well(row: 1, column: number))
            let settings = Microscope.Settings(seed: UInt64(number), height: 256, width: 384)
            var scene = Microscope(settings).scene(of: well)
            simulated.append(FrameStatistics(Self.part(scene.frame(0).frame, row: 0, column: 0)))
        }
        // Wells differ by so much; values are medians of the simulated and the range of the real, widened.
        for (name, widening) in [
            ("mean", 1.25), ("std", 1.8), ("cell diameter (px)", 1.25), ("cell contrast", 1.8),
        ] as [(String, Float)] {
            let column = try #require(FrameStatistics.names.firstIndex(of: name))
            let values = real.map { $0.columns[column] }.sorted()
            let middle = simulated.map { $0.columns[column] }.sorted()[2]
            #expect(
                (values[0] / widening...values[1] * widening).contains(middle),
                "\(name): \(middle), \(values)"
            )
        }
        #expect(simulated.allSatisfy { $0.noise < 2 && (-4 ... -0.5).contains($0.spectrumSlope) })
    }

    @Test func discsAreCountedAndMeasured() {
        var frame = Frame(height: 128, width: 192, pixels: [Float](repeating: 100, count: 128 * 192))
        for (row, column) in [(30, 30), (30, 120), (90, 70)] {
            for index in frame.pixels.indices {
                let (down, right) = (index / 192 - row, index % 192 - column)
                if down * down + right * right < 81 { frame.pixels[index] = 60 }
            }
        }
        let statistics = FrameStatistics(frame)
        #expect(abs(statistics.cellDiameter - 18) < 0.5)
        #expect(abs(statistics.cellContrast - 0.4) < 0.01)
        #expect(abs(statistics.cellDensity * 128 * 192 / 1e6 - 3) < 0.01)
        #expect(statistics.noise == 0)
    }

    @Test func cellsMoveLittleFromFrameToFrame() {
        var scene = SmallMicroscope.make().scene(of: SmallMicroscope.wells[0], variety: .dense)
        let frames = [0, 1, 10].map { scene.frame($0).frame }
        let next = FrameStatistics.correlation(frames[0], frames[1])
        let later = FrameStatistics.correlation(frames[0], frames[2])
        #expect(next > 0.3 && next < 0.99)
        #expect(later < next)
    }

    private static func part(_ frame: Frame, row: Int, column: Int) -> Frame {
        let (height, width) = (256, 384)
        let pixels = (0..<height * width).map { frame[row + $0 / width, column + $0 % width] }
        return Frame(height: height, width: width, pixels: pixels)
    }
}
