import Plate
import TestSupport
import Testing
import Verdict

/// Where a frame stands out, beside a plain computation.
struct FrameDetailTests {
    /// The root mean square of each block's pixels against the mean of 33 x 33 blocks, in half hundredths of the background.
    private func twin(_ frame: Frame, background: Double) -> [UInt8] {
        let (rows, columns) = (frame.height / 4, frame.width / 4)
        func pixels(_ row: Int, _ column: Int) -> [Double] {
            (0..<16).map { Double(frame[row * 4 + $0 / 4, column * 4 + $0 % 4]) }
        }
        let means = (0..<rows * columns).map { pixels($0 / columns, $0 % columns).reduce(0, +) / 16 }
        return (0..<rows * columns).map { block in
            let (row, column) = (block / columns, block % columns)
            var sum = 0.0
            for r in row - 16...row + 16 {
                for c in column - 16...column + 16 {
                    sum += means[min(max(r, 0), rows - 1) * columns + min(max(c, 0), columns - 1)]
                }
            }
            let around = sum / (33 * 33)
            let square = pixels(row, column).reduce(0) { $0 + ($1 - around) * ($1 - around) } / 16
            return UInt8(min(square.squareRoot() * 200 / background, 255))
        }
    }

    @Test(arguments: [(64, 96, 100.0), (201, 83, 31_000), (5, 4, 1)])
    func standsOutAsInAPlainComputation(height: Int, width: Int, background: Double) throws {
        let pixels = (0..<height * width).map { index in
            let (row, column) = (index / width, index % width)
            let cell = (row / 20 + column / 17).isMultiple(of: 3) ? 0.4 : 0
            return Float(background * (1 + cell * Double((row * 7 + column * 13) % 11) / 11))
        }
        let frame = Frame(height: height, width: width, pixels: pixels)
        let detail = try #require(FrameDetail(of: frame, background: Float(background)))
        let twin = twin(frame, background: background)
        #expect((detail.rows, detail.columns) == (height / 4, width / 4))
        // Steps are cut, so a value on the edge of one may fall to either side.
        #expect(zip(detail.values, twin).allSatisfy { abs(Int($0) - Int($1)) <= 1 })
        #expect(zip(detail.values, twin).count { $0 != $1 } <= twin.count / 50)
    }

    @Test func valuesThatAreNoNumbersAreAsFarOutAsCanBe() throws {
        var pixels = [Float](repeating: 100, count: 64 * 64)
        pixels[0] = .nan
        pixels[2000] = .infinity
        let detail = try #require(
            FrameDetail(of: Frame(height: 64, width: 64, pixels: pixels), background: 100)
        )
        #expect(detail.values.contains(255))
    }

    @Test func aFrameSmallerThanABlockHasNone() {
        #expect(
            FrameDetail(of: Frame(height: 3, width: 9, pixels: .init(repeating: 1, count: 27)), background: 1)
                == nil
        )
    }
}
