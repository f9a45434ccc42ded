package import Plate

extension Calibration {
    /// Distance of a frame with this median-filtered residual from normal frames, in their own spread, at least 0.
    package func severity(of frame: Frame, map: ScoreMap) -> Double {
        normal?.severity(of: frame, map: map)
            ?? severity(of: scoreKind.value(of: ImageScores(map: map)))
    }

    /// A frame as it was judged, with what the verdict and the cause follow from.
    struct Findings {
        let judgement: Judgement
        /// What the tiles say; `nil` where there is no normal model, or none for frames of this size.
        let tiles: (table: TileTable, deviation: NormalModel.Deviation)?
    }

    /// Judges a frame by its median-filtered residual and, where the calibration knows normal tiles, by these.
    ///
    /// Without a normal model, or for a frame of another size, the image score alone decides.
    ///
    /// `limit` is a severity of the user's own that decides instead of the calibration's threshold.
    func findings(
        of frame: Frame,
        map: ScoreMap,
        threshold limit: Double? = nil,
        causes: CauseModel? = nil
    ) -> Findings {
        let scores = ImageScores(map: map)
        let score = scoreKind.value(of: scores)
        let table = normal?.table(of: frame, map: map)
        let appearance = table.flatMap { normal?.appearance(of: $0) } ?? []
        guard let normal, let table, normal.fits(frame) else {
            let judgement = Judgement(
                severity: severity(of: score),
                threshold: limit ?? threshold,
                terms: [],
                scores: scores,
                score: score,
                cause: .unknown,
                appearance: appearance,
                pictures: Judgement.Pictures(mask: mask(of: map), map: map)
            )
            return Findings(judgement: judgement, tiles: nil)
        }
        let tiles = (table: table, deviation: normal.deviation(of: table))
        let limit = limit ?? normal.threshold
        let isFaulty = Verdict(severity: tiles.deviation.severity, threshold: limit) == .faulty
        var mask = normal.mask(of: map, suspicions: tiles.deviation.suspicions, window: maskWindow)
        // A fault that the residual hardly shows is somewhere all the same.
        if isFaulty, !mask.values.contains(1) { mask = self.mask(of: map) }
        if isFaulty, !mask.values.contains(1) {
            mask = normal.tileMask(of: map, suspicions: tiles.deviation.suspicions)
        }
        let judgement = Judgement(
            severity: tiles.deviation.severity,
            threshold: limit,
            terms: [],
            scores: scores,
            score: score,
            cause: isFaulty ? normal.cause(of: tiles, by: causes) : .unknown,
            appearance: appearance,
            pictures: Judgement.Pictures(mask: mask, map: map)
        )
        return Findings(judgement: judgement, tiles: tiles)
    }
}

extension NormalModel {
    /// The tiles of a frame; `nil` for a frame of another size.
    func measured(_ frame: Frame, map: ScoreMap) -> (table: TileTable, deviation: Deviation)? {
        guard fits(frame), let table = table(of: frame, map: map) else { return nil }
        return (table, deviation(of: table))
    }

    /// What is measured in a frame of any size; `nil` where not even one tile fits.
    func table(of frame: Frame, map: ScoreMap) -> TileTable? {
        TileTable(frame: frame, map: map, background: background)
    }

    /// How the whole frame looks: the mean over its tiles of each figure but the level, in the spread of normal tiles.
    ///
    /// Without the level, as lamps vary and a brightness of another kind is the severity's matter.
    func appearance(of table: TileTable) -> [Float] {
        TileTable.Channel.allCases.filter { $0 != .level }.map { channel in
            let mean = table.values(of: channel).reduce(0, +) / Float(table.count)
            return (mean - centre[channel.rawValue]) / spread[channel.rawValue]
        }
    }

    /// The severity of a frame with this median-filtered residual; `nil` for a frame of another size.
    package func severity(of frame: Frame, map: ScoreMap) -> Double? {
        measured(frame, map: map)?.deviation.severity
    }

    /// A score map that is strong where the tiles are suspicious, too: what the mask is taken of.
    package func located(_ map: ScoreMap, in frame: Frame) -> ScoreMap {
        guard let measured = measured(frame, map: map) else { return map }
        return map.weighed(by: weights(of: measured.deviation.suspicions))
    }

    /// Blank frames need no model to be known.
    func cause(of tiles: (table: TileTable, deviation: Deviation), by causes: CauseModel?) -> ProbableCause {
        let evidence = evidence(of: tiles.table, tiles.deviation)
        guard let causes else { return evidence.isBlank ? ProbableCause(.blank, confidence: 1) : .unknown }
        return causes.cause(of: evidence)
    }

    func mask(of map: ScoreMap, suspicions: [Float], window: Int) -> Mask {
        let located = map.weighed(by: weights(of: suspicions))
        return Calibration.specks(window: window).filtered(
            located.mask(ofWindowMean: window, above: Float(largestNotAbove: maskThreshold))
        )
    }

    /// The tiles that are more suspicious than the most suspicious of a normal frame, or the tenth that is most suspicious.
    func tileMask(of map: ScoreMap, suspicions: [Float]) -> Mask {
        let tenth = suspicions.sorted(by: >)[suspicions.count / 10]
        let limit = suspicions.contains { $0 > striking } ? striking : tenth
        return Mask(height: map.height, width: map.width, tiles: suspicions.map { $0 > limit })
    }
}
