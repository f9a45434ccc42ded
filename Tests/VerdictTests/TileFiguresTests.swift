import Foundation
import Plate
import TestSupport
import Testing

@testable import Verdict

struct TileFiguresTests {
    /// The same figures from their definitions, one tile at a time and in double precision.
    private struct Twin {
        let rows: Int
        let columns: Int
        let frame: Frame
        let map: ScoreMap
        let unit: Double

        /// Mean of a square of pixels.
        private func mean(_ values: [Float], _ top: Int, _ left: Int, _ side: Int) -> Double {
            var sum = 0.0
            for row in top..<top + side {
                for column in left..<left + side { sum += Double(values[row * frame.width + column]) }
            }
            return sum / Double(side * side)
        }

        /// Mean over the squares of `2 * step` of a tile of the variance of their four quarters' means; of the pixels for 4.
        private func detail(_ tile: (Int, Int), side: Int) -> Double {
            let part = side == 4 ? 1 : side / 2
            var variances: [Double] = []
            for top in stride(from: tile.0 * 32, to: tile.0 * 32 + 32, by: side) {
                for left in stride(from: tile.1 * 32, to: tile.1 * 32 + 32, by: side) {
                    var parts: [Double] = []
                    for y in stride(from: top, to: top + side, by: part) {
                        for x in stride(from: left, to: left + side, by: part) {
                            parts.append(mean(frame.pixels, y, x, part))
                        }
                    }
                    let middle = parts.reduce(0, +) / Double(parts.count)
                    let squares = parts.reduce(0) { $0 + ($1 - middle) * ($1 - middle) }
                    variances.append(squares / Double(parts.count))
                }
            }
            let level = max(mean(frame.pixels, tile.0 * 32, tile.1 * 32, 32), 3 * unit)
            return variances.reduce(0, +) / Double(variances.count) / (level * level) + 1e-6
        }

        /// Mean over the tiles around one, the border repeated.
        private func around(_ tile: (Int, Int), reach: Int, _ value: ((Int, Int)) -> Double) -> Double {
            var sum = 0.0
            for row in tile.0 - reach...tile.0 + reach {
                for column in tile.1 - reach...tile.1 + reach {
                    sum += value((min(max(row, 0), rows - 1), min(max(column, 0), columns - 1)))
                }
            }
            return sum / Double((2 * reach + 1) * (2 * reach + 1))
        }

        private func level(_ tile: (Int, Int)) -> Double { mean(frame.pixels, tile.0 * 32, tile.1 * 32, 32) }

        private func blocks(_ tile: (Int, Int)) -> [Double] {
            [(0, 0), (0, 16), (16, 0), (16, 16)].map {
                mean(frame.pixels, tile.0 * 32 + $0.0, tile.1 * 32 + $0.1, 16)
            }
        }

        private func gradients(_ tile: (Int, Int)) -> (xx: Double, yy: Double, xy: Double) {
            let (high, wide) = (rows * 8, columns * 8)
            func block(_ row: Int, _ column: Int) -> Double {
                mean(frame.pixels, min(max(row, 0), high - 1) * 4, min(max(column, 0), wide - 1) * 4, 4)
            }
            var sums = (xx: 0.0, yy: 0.0, xy: 0.0)
            for row in tile.0 * 8..<tile.0 * 8 + 8 {
                for column in tile.1 * 8..<tile.1 * 8 + 8 {
                    let (left, right) = (block(row, column - 1), block(row, column + 1))
                    let (top, bottom) = (block(row - 1, column), block(row + 1, column))
                    let x = (right - left) / max(right + left, 6 * unit)
                    let y = (bottom - top) / max(bottom + top, 6 * unit)
                    sums = (sums.xx + x * x / 64, sums.yy + y * y / 64, sums.xy + x * y / 64)
                }
            }
            return sums
        }

        private func direction(_ tile: (Int, Int), reach: Int) -> Double {
            let xx = around(tile, reach: reach) { gradients($0).xx }
            let yy = around(tile, reach: reach) { gradients($0).yy }
            let xy = around(tile, reach: reach) { gradients($0).xy }
            return ((xx - yy) * (xx - yy) + 4 * xy * xy).squareRoot() / (xx + yy + 1e-4)
        }

        private func residual(_ tile: (Int, Int)) -> Double { mean(map.values, tile.0 * 32, tile.1 * 32, 32) }

        private func window(_ tile: (Int, Int)) -> Double {
            var largest = 0.0
            for row in tile.0 * 4..<tile.0 * 4 + 4 where row + 1 < rows * 4 {
                for column in tile.1 * 4..<tile.1 * 4 + 4 where column + 1 < columns * 4 {
                    largest = max(largest, mean(map.values, row * 8, column * 8, 16))
                }
            }
            return largest
        }

        func figures(_ tile: (Int, Int)) -> [Double] {
            let level = level(tile)
            let wide = max(around(tile, reach: 2, self.level), 2 * unit)
            let (low, high) = (blocks(tile).min() ?? 0, blocks(tile).max() ?? 0)
            var figures = [log(max(level, unit) / unit)]
            for side in [4, 8, 16, 32] { figures.append(log(detail(tile, side: side))) }
            figures.append(log(max(low, 2 * unit) / wide))
            figures.append(log(max(high, 2 * unit) / wide))
            for reach in [1, 3] {
                figures.append(log(max(level, unit) / max(around(tile, reach: reach, self.level), unit)))
            }
            for reach in [1, 2] { figures.append(direction(tile, reach: reach)) }
            for side in [4, 8, 16] {
                figures.append(log(around(tile, reach: 1) { detail($0, side: side) }))
            }
            figures.append(log(residual(tile) + 1e-5))
            figures.append(log(window(tile) + 1e-5))
            figures.append(log(around(tile, reach: 1, residual) + 1e-5))
            return figures
        }
    }

    @Test(arguments: [(32, 32), (96, 64), (75, 140)])
    func agreesWithItsDefinitions(height: Int, width: Int) throws {
        var random = TestGenerator(seed: 11)
        let frame = Frame(height: height, width: width, pixels: random.floats(height * width, in: 60...140))
        let map = ScoreMap(height: height, width: width, values: random.floats(height * width, in: 0...0.4))
        let table = try #require(TileFigures(frame: frame, map: map, background: 100))
        let twin = Twin(rows: height / 32, columns: width / 32, frame: frame, map: map, unit: 1)
        #expect(table.rows == twin.rows && table.columns == twin.columns)
        let all = (0..<table.count).map { twin.figures(($0 / table.columns, $0 % table.columns)) }
        // A tile's level is that over the frame's, which is the median.
        let level = all.map { $0[TileFigures.Channel.level.number] }.sorted()[table.count / 2]
        #expect(abs(Double(table.level) - level) < 2e-3)
        for tile in 0..<table.count {
            var expected = all[tile]
            expected[TileFigures.Channel.level.number] -= level
            for channel in TileFigures.Channel.all {
                let found = Double(table.values[channel.number * table.count + tile])
                #expect(abs(found - expected[channel.number]) < 2e-3, "\(channel) of tile \(tile)")
            }
        }
    }

    /// Of the same picture with 8 bits, 12 and 16 bits, and as shares of 1.
    @Test(arguments: [16, 257, 1 / 255] as [Float])
    func theUnitOfGreyValuesDoesNotMatter(unit: Float) throws {
        var random = TestGenerator(seed: 12)
        let grey = random.floats(64 * 96, in: 60...180).map { $0.rounded() }
        let map = ScoreMap(height: 64, width: 96, values: [Float](repeating: 0.1, count: grey.count))
        func figures(_ unit: Float) throws -> TileFigures {
            let frame = Frame(height: 64, width: 96, pixels: grey.map { $0 * unit })
            return try #require(TileFigures(frame: frame, map: map, background: 117 * unit))
        }
        #expect(try figures(unit) == figures(1))
    }

    @Test func aFrameWithoutRoomForATileHasNone() {
        let frame = Frame(height: 31, width: 64, pixels: [Float](repeating: 1, count: 31 * 64))
        let map = ScoreMap(height: 31, width: 64, values: [Float](repeating: 0, count: 31 * 64))
        #expect(TileFigures(frame: frame, map: map, background: 100) == nil)
    }

    @Test(arguments: [(32, 32), (70, 131), (96, 64)])
    func weightsAreReadBetweenTheCentresOfTiles(height: Int, width: Int) {
        let map = ScoreMap(height: height, width: width, values: randomValues(height * width, seed: 2))
        let (rows, columns) = (height / 32, width / 32)
        let weights = randomValues(rows * columns, seed: 3)
        func place(_ pixel: Int, _ count: Int) -> (Int, Int, Float) {
            let position = min(max((Float(pixel) + 0.5) / 32 - 0.5, 0), Float(count - 1))
            return (Int(position), min(Int(position) + 1, count - 1), position - Float(Int(position)))
        }
        let expected = (0..<height * width).map { index in
            let (top, bottom, down) = place(index / width, rows)
            let (left, right, across) = place(index % width, columns)
            let (a, b) = (weights[top * columns + left], weights[top * columns + right])
            let (c, d) = (weights[bottom * columns + left], weights[bottom * columns + right])
            let (upper, lower) = (a + across * (b - a), c + across * (d - c))
            return map.values[index] * (upper + down * (lower - upper))
        }
        #expect(relativeError(map.weighted(by: weights).values, expected) < 1e-5)
    }
}
