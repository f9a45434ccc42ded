import CKernels
import Foundation
import Mathematics
package import Plate

/// What is measured in each tile of 32 x 32 pixels of a frame: brightness, detail, contrast to the surroundings, and residual.
///
/// All figures are logarithms of ratios, so that normal tiles form compact clouds: background, cells, rims, dense places.
package struct TileFigures: Sendable, Equatable {
    /// A figure of a tile; the numbers are those of `CKernels/include/image_tiles.h`, which explains each.
    struct Channel: Hashable, Sendable {
        let number: Int

        private init(_ number: Int) { self.number = number }

        static let level = Channel(Int(aqc_tile_level))
        static let detail4 = Channel(Int(aqc_tile_detail_4))
        static let detail8 = Channel(Int(aqc_tile_detail_8))
        static let detail16 = Channel(Int(aqc_tile_detail_16))
        static let detail32 = Channel(Int(aqc_tile_detail_32))
        static let residualWindow = Channel(Int(aqc_tile_residual_window))
        /// All figures, in the order of their numbers.
        static let all = (0..<TileFigures.channels).map { Channel($0) }
    }

    /// Rows of tiles.
    package let rows: Int
    /// Columns of tiles.
    package let columns: Int
    /// Channel by channel, each `rows * columns`, row by row; the level is that of the tile over the frame's.
    package let values: [Float]
    /// The frame's level: the median over the tiles of the logarithm of the grey value in hundredths of the normal background.
    package let level: Float

    /// Side of a tile in pixels.
    package static let side = Int(aqc_tile_side)
    /// Figures of a tile.
    package static let channels = Int(aqc_tile_channels)

    /// Number of tiles.
    package var count: Int { rows * columns }

    /// Measures a frame and its score map; `nil` where not even one tile fits.
    ///
    /// `background` is the grey value of normal frames' background. The rest at the right and at the bottom of a frame that is no
    /// multiple of a tile is left out.
    package init?(frame: Frame, map: ScoreMap, background: Float) {
        let (height, width) = (frame.height, frame.width)
        guard height >= Self.side, width >= Self.side else { return nil }
        (rows, columns) = (height / Self.side, width / Self.side)
        var scratch = [Float](repeating: 0, count: aqc_tile_scratch(height, width))
        // In hundredths of the background, where there is one.
        let (grey, unit): ([Float], Float) =
            background > 0
            ? (GreySteps.values(frame.pixels, background: background, scale: 1 / GreySteps.perHundredth), 1)
            : (frame.pixels, .leastNormalMagnitude)
        var values = unsafe [Float](filling: rows * columns * Self.channels) { values in
            unsafe aqc_measure_tiles(grey, map.values, values, height, width, unit, &scratch)
        }
        // A lamp that is brighter as a whole is a matter of the frame, not of each tile.
        let levels = Channel.level.number * rows * columns..<(Channel.level.number + 1) * rows * columns
        level = Array(values[levels]).upperMedian
        for index in levels { values[index] -= level }
        self.values = values
    }

    private init(rows: Int, columns: Int, values: [Float], level: Float) {
        (self.rows, self.columns, self.values, self.level) = (rows, columns, values, level)
    }

    /// The figures with those of the tile number `tiles[i]` in the place of tile i.
    func showing(_ tiles: [Int]) -> TileFigures {
        precondition(tiles.count == count, "\(tiles.count) numbers of \(count) tiles")
        let shown = (0..<Self.channels).flatMap { channel in tiles.map { values[channel * count + $0] } }
        return TileFigures(rows: rows, columns: columns, values: shown, level: level)
    }

    /// One figure of every tile.
    func values(of channel: Channel) -> ArraySlice<Float> {
        values[channel.number * count..<(channel.number + 1) * count]
    }

    /// Whether all figures are numbers; not those of a frame whose grey values are far from any camera's.
    package var isFinite: Bool { level.isFinite && values.allSatisfy(\.isFinite) }

    /// The largest residual window that begins in each tile.
    package var largestResiduals: [Float] { values(of: .residualWindow).map { exp($0) } }

    /// How much detail of the size of cells there is: ln of the power within 16 pixels.
    var detail: Double { log(power(.detail16).reduce(0, +) / Double(count)) }

    /// The mean level of the darkest and of the brightest region of a quarter of the frame's height and width: ln of it over the
    /// frame's level.
    ///
    /// A shadow over a part of the frame is no matter of one tile: its edge is soft, and its tiles are like those of a dimmer lamp.
    var lightOfRegions: (darkest: Double, brightest: Double) {
        let (height, width) = (max(rows / 4, 1), max(columns / 4, 1))
        let levels = values(of: .level)
        // Sums of the levels above and to the left of each place.
        var sums = [Double](repeating: 0, count: (rows + 1) * (columns + 1))
        for row in 0..<rows {
            var line = 0.0
            for column in 0..<columns {
                line += Double(levels[levels.startIndex + row * columns + column])
                sums[(row + 1) * (columns + 1) + column + 1] = sums[row * (columns + 1) + column + 1] + line
            }
        }
        var found = (darkest: Double.infinity, brightest: -Double.infinity)
        for top in 0...rows - height {
            let (above, below) = (top * (columns + 1), (top + height) * (columns + 1))
            for left in 0...columns - width {
                let sum =
                    sums[below + left + width] - sums[below + left] - sums[above + left + width]
                    + sums[above + left]
                let mean = sum / Double(height * width)
                found = (min(found.darkest, mean), max(found.brightest, mean))
            }
        }
        return found
    }

    /// The variance of each tile within blocks, over its squared level.
    fileprivate func power(_ detail: Channel) -> [Double] { values(of: detail).map { Double(exp($0)) } }

    /// The share of each tile that a mask of the frame covers.
    package func cover(of mask: Mask) -> [Float] {
        (0..<count).map { tile in
            let (top, left) = (tile / columns * Self.side, tile % columns * Self.side)
            let covered = (top..<top + Self.side).reduce(0) { sum, row in
                let start = row * mask.width + left
                return sum + mask.values[start..<start + Self.side].count { $0 != 0 }
            }
            return Float(covered) / Float(Self.side * Self.side)
        }
    }
}

/// The power of a frame's detail within blocks of 4, 8, 16 and 32 pixels, above that of its quietest tiles, which is noise.
struct DetailPower: Sendable, Equatable, Codable {
    private let within4, within8, within16, within32: Double

    /// Measures a frame.
    init(_ figures: TileFigures) {
        func mean(_ detail: TileFigures.Channel) -> Double {
            let power = figures.power(detail)
            let noise = power.quantiles([0.25])[0]
            return power.reduce(0) { $0 + max($1 - noise, 0) } / Double(figures.count)
        }
        (within4, within8) = (mean(.detail4), mean(.detail8))
        (within16, within32) = (mean(.detail16), mean(.detail32))
    }

    /// Medians over normal frames, at least one.
    init(medianOf frames: [DetailPower]) {
        within4 = frames.map(\.within4).median
        within8 = frames.map(\.within8).median
        within16 = frames.map(\.within16).median
        within32 = frames.map(\.within32).median
    }

    /// How much of the detail is fine: ln of the power within 4 pixels over that within 16, and within 8 over 32 for a focus that is
    /// far off.
    ///
    /// The optics' transfer function takes fine detail away out of focus, however many cells there are. A well with hardly any cells
    /// says nothing about the focus: with less and less detail, the answer becomes that of normal frames. Detail within 8 pixels
    /// counts, as uneven light has hardly any.
    func sharpness(normal: DetailPower) -> (fine: Double, coarse: Double) {
        let share = within8 / (Self.silentShare * normal.within8 + Self.leastPower)
        let said = share * share / (1 + share * share)
        return (
            said * fine + (1 - said) * normal.fine,
            said * coarse + (1 - said) * normal.coarse
        )
    }

    private var fine: Double { log((within4 + Self.leastPower) / (within16 + Self.leastPower)) }
    private var coarse: Double { log((within8 + Self.leastPower) / (within32 + Self.leastPower)) }

    /// The share of the usual power at which detail says half as much.
    private static let silentShare = 0.01
    /// So that frames without any detail have a sharpness, too.
    private static let leastPower = 1e-7
}

/// Mean and standard deviation of each figure over the tiles of normal frames.
package struct TileMoments: Sendable, Equatable {
    /// Means, one a channel.
    let centre: [Float]
    /// Standard deviations, one a channel, above 0.
    let spread: [Float]

    /// Smallest spreads, one a channel: frames of a very even light must not make every other light unlikely.
    ///
    /// 5 % of the level, 10 % of details and residuals, 1 to 2 % of contrasts to the surroundings.
    private static let smallestSpreads: [Float] = {
        var spreads = [Float](repeating: 0.1, count: TileFigures.channels)
        for (number, spread) in [
            (aqc_tile_level, 0.05), (aqc_tile_darkest, 0.02), (aqc_tile_brightest, 0.02),
            (aqc_tile_contrast_3, 0.01), (aqc_tile_contrast_7, 0.01), (aqc_tile_direction_3, 0.05),
            (aqc_tile_direction_5, 0.05),
        ] as [(Int, Float)] { spreads[number] = spread }
        return spreads
    }()

    /// Wraps stored moments; `nil` where counts do not fit or a spread is not positive.
    init?(centre: [Float], spread: [Float]) {
        guard centre.count == TileFigures.channels, spread.count == centre.count,
            centre.allSatisfy(\.isFinite), spread.allSatisfy({ $0 > 0 })
        else { return nil }
        (self.centre, self.spread) = (centre, spread)
    }

    /// Of points that lie channel by channel.
    init(channels: [[Float]]) {
        var (centre, spread): ([Float], [Float]) = ([], [])
        for (values, smallest) in zip(channels, Self.smallestSpreads) {
            let mean = values.reduce(0) { $0 + Double($1) } / Double(values.count)
            let squares = values.reduce(0) { $0 + (Double($1) - mean) * (Double($1) - mean) }
            centre.append(Float(mean))
            spread.append(max(Float((squares / Double(values.count)).squareRoot()), smallest))
        }
        (self.centre, self.spread) = (centre, spread)
    }

    /// Of all tiles of some frames, at least one.
    package init(of samples: [TileFigures]) {
        self.init(
            channels: (0..<TileFigures.channels).map { channel in
                samples.flatMap { $0.values[channel * $0.count..<(channel + 1) * $0.count] }
            }
        )
    }

    /// Figures in the spread of normal tiles, channel by channel as they came.
    package func standardised(_ figures: TileFigures) -> [Float] {
        standardised(figures.values, count: figures.count)
    }

    func standardised(_ values: [Float], count: Int) -> [Float] {
        var result = values
        for channel in centre.indices {
            let (middle, share) = (centre[channel], 1 / spread[channel])
            for index in channel * count..<(channel + 1) * count {
                result[index] = (values[index] - middle) * share
            }
        }
        return result
    }
}
