import CKernels
import Plate

/// What is measured in each tile of 32 x 32 pixels of a frame: how bright it is, what detail it has, how it differs from its
/// surroundings, and how badly the network reconstructs it.
///
/// All figures are logarithms of ratios, so that normal tiles form compact clouds: background, cells, rims, dense places.
struct TileTable: Sendable, Equatable {
    /// The figures of a tile, in the order that they are stored.
    enum Channel: Int, CaseIterable {
        /// Mean grey value.
        case level
        /// Variance within cells of 4, 8, 16 and 32 pixels, over the squared level: out of focus the fine ones fall.
        case detail4, detail8, detail16, detail32
        /// The darkest and the brightest 16 x 16 pixels against the mean of 5 x 5 tiles.
        case darkest, brightest
        /// The level against the mean of 3 x 3 and of 7 x 7 tiles.
        case contrast3, contrast7
        /// How much one direction outweighs the other in 3 x 3 and in 5 x 5 tiles: hairs have one, cells have none.
        case direction3, direction5
        /// The first three details in 3 x 3 tiles.
        case around4, around8, around16
        /// The residual: mean, largest window of 16 x 16, mean of 3 x 3 tiles.
        case residual, residualWindow, residualAround
    }

    /// Rows of tiles.
    let rows: Int
    /// Columns of tiles.
    let columns: Int
    /// Channel by channel, each `rows * columns`, row by row.
    let values: [Float]

    /// Side of a tile in pixels.
    static let side = Int(aqc_tile_side)
    /// Figures of a tile.
    static let channels = Int(aqc_tile_channels)

    /// Number of tiles.
    var count: Int { rows * columns }

    /// Measures a frame and its score map; `nil` where not even one tile fits.
    ///
    /// `background` is the grey value of normal frames' background; what is left of a tile at the right and at the bottom is
    /// not looked at.
    init?(frame: Frame, map: ScoreMap, background: Float) {
        let (height, width) = (frame.height, frame.width)
        guard height >= Self.side, width >= Self.side else { return nil }
        (rows, columns) = (height / Self.side, width / Self.side)
        var scratch = [Float](repeating: 0, count: aqc_tile_scratch(height, width))
        let unit = max(background / 100, Float.leastNormalMagnitude)
        values = unsafe [Float](filling: rows * columns * Self.channels) { values in
            unsafe aqc_measure_tiles(frame.pixels, map.values, values, height, width, unit, &scratch)
        }
    }

    /// One figure of every tile.
    func values(of channel: Channel) -> ArraySlice<Float> {
        values[channel.rawValue * count..<(channel.rawValue + 1) * count]
    }
}
