package import Plate

// The way from a frame and its score map to a judgement:
//
//     frame, score map -> Evidence -> Severity -> Verdict (threshold) -> mask, cause -> Judgement
//
// Mask and cause follow from the verdict, so a frame that is faulty by a threshold of the user's own has both.

extension Calibration {
    /// Measures a frame with its median-filtered residual.
    ///
    /// Where the network did not look at all of it, `tilesShown` has for each tile the number of the one that is measured in its
    /// place.
    package func evidence(of frame: Frame, map: ScoreMap, tilesShown: [Int]? = nil) -> Evidence {
        let scores = ImageScores(map: map)
        var figures = tiles?.normal.figures(of: frame, map: map)
        if let tilesShown { figures = figures?.showing(tilesShown) }
        var evidence: TileEvidence?
        if let normal = tiles?.normal, let figures {
            evidence = normal.evidence(of: figures)
        }
        return Evidence(
            scores: scores,
            score: scoreKind.value(of: scores),
            tiles: evidence,
            appearance: figures.flatMap { tiles?.normal.appearance(of: $0) } ?? []
        )
    }

    /// What decides on a measured frame.
    package func limits(for evidence: Evidence) -> Limits {
        guard let tiles, evidence.tiles != nil else { return image }
        return tiles.limits
    }

    /// Distance of a frame from normal frames, in their own spread, at least 0.
    package func severity(of frame: Frame, map: ScoreMap) -> Double {
        let evidence = evidence(of: frame, map: map)
        return limits(for: evidence).severity.total(of: evidence)
    }

    /// The severity of a frame without tiles that has an image score; `nil` for a score that is unusual because it is low.
    package func severity(ofScore score: Double) -> Double? {
        let unknown = ImageScores(maximum: 0, mean: 0, patch: 0)
        let severities = [score, score * 1.001].map {
            image.severity.total(of: Evidence(scores: unknown, score: $0))
        }
        return severities[1] >= severities[0] ? severities[0] : nil
    }

    /// Decides on a measured frame; `threshold` is a severity of the user's own, instead of the calibration's.
    package func verdict(of evidence: Evidence, threshold: Double? = nil) -> Verdict {
        let limits = limits(for: evidence)
        return Verdict(
            severity: limits.severity.total(of: evidence),
            threshold: threshold ?? limits.threshold.value
        )
    }

    /// Judges a measured frame; `threshold` is a severity of the user's own, instead of the calibration's.
    ///
    /// The mask of a frame that is found normal has the few pixels above the mask's threshold, or none without `masksNormal`.
    package func judge(
        _ evidence: Evidence,
        map: ScoreMap,
        threshold: Double? = nil,
        causes: CauseModel? = nil,
        masksNormal: Bool = true
    ) -> Judgement {
        let limits = limits(for: evidence)
        let contributions = limits.severity.contributions(of: evidence)
        let severity = Severity.total(of: contributions)
        let threshold = threshold ?? limits.threshold.value
        let isFaulty = Verdict(severity: severity, threshold: threshold) == .faulty
        let cause = isFaulty ? cause(of: evidence, by: causes) : .unknown
        return Judgement(
            severity: severity,
            threshold: threshold,
            suspectLimit: min(limits.suspect, threshold),
            terms: contributions,
            scores: evidence.scores,
            score: evidence.score,
            cause: cause,
            appearance: evidence.appearance,
            pictures: Judgement.Pictures(
                mask: isFaulty || masksNormal
                    ? mask(of: map, evidence.tiles, isFaulty: isFaulty, cause: cause.cause)
                    : Mask(
                        height: map.height,
                        width: map.width,
                        values: [UInt8](repeating: 0, count: map.values.count)
                    ),
                map: map
            )
        )
    }

    /// A frame of one grey value needs no cause model.
    private func cause(of evidence: Evidence, by causes: CauseModel?) -> ProbableCause {
        guard let tiles = evidence.tiles, let normal = self.tiles?.normal else { return .unknown }
        let features = normal.causeFeatures(of: tiles)
        if features.isBlank { return ProbableCause(.blank, confidence: 1) }
        return causes?.cause(of: features) ?? .unknown
    }
}

extension Calibration {
    /// Decides on the figures of a frame's tiles, by the tiles' limits; `normal` where the calibration has no tiles.
    package func verdict(ofTiles figures: TileFigures) -> Verdict {
        guard let tiles else { return .normal }
        return verdict(of: Evidence(tiles.normal.evidence(of: figures)))
    }
}
