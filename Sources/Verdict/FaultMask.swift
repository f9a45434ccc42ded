import CKernels
import Mathematics
package import Plate

// Which pixels of a frame are faulty.

extension Calibration {
    /// What is too small for a fault: the published 7 pixels, or a quarter of the mask's window where that is larger.
    package static func smallComponents(window: Int) -> ComponentFilter {
        ComponentFilter(largestRemovedArea: max(7, window * window / 4))
    }

    /// The same for this calibration's window.
    package var smallComponents: ComponentFilter { Self.smallComponents(window: maskWindow) }

    /// The map that the mask is taken of: the residual, weighted by the tiles where there are some, averaged over the window.
    package func maskMap(of frame: Frame, map: ScoreMap) -> ScoreMap {
        weighted(map, by: evidence(of: frame, map: map).tiles).windowMean(maskWindow)
    }

    /// The faulty pixels of a map, without small components.
    ///
    /// A faulty frame has a mask: where the weighted residual stays below its threshold, the plain residual's mask is taken, and
    /// where that is empty, too, the tiles with the largest scores. A frame that is out of focus is faulty as a whole.
    func mask(of map: ScoreMap, _ evidence: TileEvidence?, isFaulty: Bool, cause: Cause = .unknown) -> Mask {
        if isFaulty, cause == .zShift || cause == .blank {
            let all = [UInt8](repeating: 1, count: map.values.count)
            return Mask(height: map.height, width: map.width, values: all)
        }
        guard let tiles, let evidence else { return mask(of: map, above: image.mask.value) }
        let weighted = weighted(map, by: evidence)
        guard isFaulty else { return mask(of: weighted, above: tiles.limits.mask.value) }
        let mask = extent(in: weighted.windowMean(maskWindow), above: tiles.limits.mask.value)
        guard !mask.values.contains(1) else { return mask }
        let plain = self.mask(of: map, above: image.mask.value)
        guard !plain.values.contains(1) else { return plain }
        return tiles.normal.mask(ofTiles: evidence, height: map.height, width: map.width)
    }

    /// A component of a fault reaches this share of the largest value of the frame.
    private static let shareOfPeak: Float = 0.25

    /// The parts of a faulty frame around what is above the threshold, out to its share (hysteresis, Canny 1986).
    private func extent(in means: ScoreMap, above threshold: Double) -> Mask {
        let peak = means.values.reduce(0) { max($0, $1) }
        let core = max(Float(largestNotAbove: threshold), Self.shareOfPeak * peak)
        let limit = Float(largestNotAbove: threshold * extentShare)
        let wide = Mask(
            height: means.height,
            width: means.width,
            values: means.values.map { $0 > limit ? 1 : 0 }
        )
        return smallComponents.filtered(wide) { means.values[$0] > core }
    }

    private func mask(of map: ScoreMap, above threshold: Double) -> Mask {
        let limit = Float(largestNotAbove: threshold)
        return smallComponents.filtered(map.mask(ofWindowMean: maskWindow, above: limit))
    }

    /// How well masks of a faulty frame would fit its true mask, by the share of the mask's threshold that they are taken at: Dice
    /// coefficients of the masks at `shares`.
    package func dice(of frame: Frame, map: ScoreMap, mask truth: Mask, shares: [Double]) -> [Double] {
        let means = maskMap(of: frame, map: map)
        return shares.map { share in
            let limit = Float(limits.mask.value * share)
            var (both, either) = (0, 0)
            for index in means.values.indices {
                let (found, faulty) = (means.values[index] > limit, truth.values[index] != 0)
                if found { either += 1 }
                if faulty { either += 1 }
                if found, faulty { both += 1 }
            }
            return either > 0 ? 2 * Double(both) / Double(either) : 1
        }
    }

    private func weighted(_ map: ScoreMap, by evidence: TileEvidence?) -> ScoreMap {
        guard let tiles, let evidence else { return map }
        return map.weighted(by: tiles.normal.weights(of: evidence))
    }
}

extension NormalTiles {
    private static let smallestWeight: Float = 0.02
    private static let largestWeight: Float = 2

    /// How much each tile's residual counts: 0.02 for an ordinary tile, 1 for the largest tile score of a normal frame, 2 at most.
    package func weights(of evidence: TileEvidence) -> [Float] {
        let span = max(scores.medianMaximum - scores.median, 1e-3)
        return evidence.tileScores.map {
            min(max(($0 - scores.median) / span, Self.smallestWeight), Self.largestWeight)
        }
    }

    /// The tiles whose scores are above the largest of a normal frame, or the tenth with the largest scores.
    func mask(ofTiles evidence: TileEvidence, height: Int, width: Int) -> Mask {
        let values = evidence.tileScores
        let tenth = values.sorted(by: >)[values.count / 10]
        let limit = values.contains { $0 > scores.medianMaximum } ? scores.medianMaximum : tenth
        return Mask(height: height, width: width, tiles: values.map { $0 > limit })
    }
}

extension ScoreMap {
    /// The map times the weights of its tiles, which are read linearly between the tiles' centres.
    func weighted(by weights: [Float]) -> ScoreMap {
        let (rows, columns) = (height / TileFigures.side, width / TileFigures.side)
        precondition(
            weights.count == rows * columns && rows * columns > 0,
            "\(weights.count) weights of tiles"
        )
        var line = [Float](repeating: 0, count: columns)
        let values = unsafe [Float](filling: values.count) { result in
            unsafe aqc_weight_tiles(self.values, result, height, width, weights, rows, columns, &line)
        }
        return ScoreMap(height: height, width: width, values: values)
    }
}

extension Mask {
    /// The pixels of some tiles; the rest at the right and at the bottom belongs to the last ones.
    init(height: Int, width: Int, tiles: [Bool]) {
        let (rows, columns) = (height / TileFigures.side, width / TileFigures.side)
        precondition(tiles.count == rows * columns && rows * columns > 0, "\(tiles.count) tiles")
        var values: [UInt8] = []
        values.reserveCapacity(height * width)
        for row in 0..<rows {
            let line = (0..<width).map { column -> UInt8 in
                tiles[row * columns + min(column / TileFigures.side, columns - 1)] ? 1 : 0
            }
            let count = row == rows - 1 ? height - row * TileFigures.side : TileFigures.side
            for _ in 0..<count { values += line }
        }
        self.init(height: height, width: width, values: values)
    }
}
