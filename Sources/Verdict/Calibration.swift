package import Evaluation
package import Plate

/// Which image score a model is calibrated on.
package enum ScoreKind: String, Sendable, Codable, CaseIterable {
    /// Largest pixel of the map.
    case maximum = "max"
    /// Mean of the map.
    case mean
    /// Largest mean of a 16 x 16 window.
    case patch

    /// This score among the three.
    package func value(of scores: ImageScores) -> Double {
        switch self {
        case .maximum: scores.maximum
        case .mean: scores.mean
        case .patch: scores.patch
        }
    }
}

/// A limit and how it was found.
package struct Threshold: Sendable, Equatable, Codable {
    /// What is above it is faulty.
    package let value: Double
    /// How it was found.
    package let origin: Origin

    /// How a threshold was found.
    package enum Origin: Sendable, Equatable, Codable {
        /// From normal frames alone, for a rate of false alarms.
        case conformal(ConformalThreshold)
        /// By the published greedy search over labelled frames.
        case greedy(GreedyThreshold)
    }

    /// From normal frames alone.
    package init(_ threshold: ConformalThreshold) {
        (value, origin) = (threshold.value, .conformal(threshold))
    }

    /// By the greedy search.
    package init(_ threshold: GreedyThreshold) {
        (value, origin) = (threshold.threshold, .greedy(threshold))
    }

    /// Share of normal frames that may be above it; `nil` for a greedy threshold, which promises no rate.
    package var falseAlarmRate: Double? {
        if case .conformal(let threshold) = origin { threshold.falseAlarmRate } else { nil }
    }
}

/// What decides on frames of one kind: the severity, its two limits, and the threshold of the mask.
package struct Limits: Sendable, Equatable, Codable {
    /// How far a frame is from normal frames.
    package var severity: Severity
    /// The severity above which a frame is faulty.
    package var threshold: Threshold
    /// The severity above which a frame that passes is suspect: shown, not alarmed.
    ///
    /// At the threshold or above it no frame is suspect.
    package var suspect: Double
    /// The residual, averaged over the mask's window, above which a pixel is faulty.
    package var mask: Threshold

    /// Share of normal frames that may be suspect.
    private static let suspectRate = 0.05
    /// What the severities of ordinary normal frames of other microscopes reach.
    private static let smallestSuspect = 1.5

    /// Gathers the limits; `normal` are the severities of normal frames that the threshold was found from, at least one.
    package init(severity: Severity, threshold: Threshold, normal: [Double], mask: Threshold) {
        let lower = ConformalThreshold(
            normalValues: normal,
            falseAlarmRate: Self.suspectRate,
            smallest: Self.smallestSuspect
        )
        (self.severity, self.threshold, self.mask) = (severity, threshold, mask)
        suspect = min(lower.value, threshold.value)
    }

    /// Reads what `encode` wrote; limits without a lower one know no suspect frames.
    package init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: CodingKeys.self)
        severity = try values.decode(Severity.self, forKey: .severity)
        threshold = try values.decode(Threshold.self, forKey: .threshold)
        suspect = try values.decodeIfPresent(Double.self, forKey: .suspect) ?? threshold.value
        mask = try values.decode(Threshold.self, forKey: .mask)
    }
}

/// When a frame is faulty and which of its pixels are: fitted to the normal frames of one microscope.
package struct Calibration: Sendable, Equatable, Codable {
    /// What the tiles of normal frames look like, and what decides on frames that have such tiles.
    package struct Tiles: Sendable, Equatable, Codable {
        /// What normal tiles look like.
        package var normal: NormalTiles
        /// What decides; the mask is taken of the residual weighted by the tiles.
        package var limits: Limits

        /// Gathers the two.
        package init(normal: NormalTiles, limits: Limits) {
            (self.normal, self.limits) = (normal, limits)
        }
    }

    /// Which image score counts.
    package var scoreKind: ScoreKind
    /// Side of the square window over which the map is averaged before the mask is taken, in pixels.
    package var maskWindow: Int
    /// Share of the mask's threshold above which pixels of a faulty frame are faulty.
    ///
    /// The threshold itself is what normal frames stay below. Where it is known that a frame is faulty, the fault's faint parts count.
    package var extentShare = usualExtentShare
    /// The share that gave the best masks of simulated faults on real frames.
    package static let usualExtentShare = 0.5
    /// What decides on frames without tiles: models of the `reference` profile, and frames too small for enough tiles.
    package var image: Limits
    /// What decides on all others; `nil` for models of the `reference` profile.
    package var tiles: Tiles?

    /// Gathers a calibration.
    package init(scoreKind: ScoreKind, maskWindow: Int, image: Limits, tiles: Tiles? = nil) {
        (self.scoreKind, self.maskWindow) = (scoreKind, maskWindow)
        (self.image, self.tiles) = (image, tiles)
    }

    /// Reads what `encode` wrote; throws where masks cannot be taken so.
    package init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: CodingKeys.self)
        scoreKind = try values.decode(ScoreKind.self, forKey: .scoreKind)
        maskWindow = try values.decode(Int.self, forKey: .maskWindow)
        extentShare = try values.decode(Double.self, forKey: .extentShare)
        image = try values.decode(Limits.self, forKey: .image)
        tiles = try values.decodeIfPresent(Tiles.self, forKey: .tiles)
        guard (1...Self.widestWindow).contains(maskWindow), (0...1).contains(extentShare) else {
            let problem = "masks with a window of \(maskWindow) pixels and a share of \(extentShare) are none"
            throw DecodingError.dataCorrupted(.init(codingPath: values.codingPath, debugDescription: problem))
        }
    }

    private static let widestWindow = 1024

    /// Limits of the image score alone, from the scores of normal frames, at least one.
    ///
    /// `onsets` are the frames' mask onsets (`ComponentFilter.onset`), one a frame.
    package static func imageLimits(
        normalScores: [Double],
        onsets: [Double],
        falseAlarmRate: Double,
        maskRate: Double
    ) -> Limits {
        let unknown = ImageScores(maximum: 0, mean: 0, patch: 0)
        let normal = normalScores.map { Evidence(scores: unknown, score: $0) }
        let severity = Severity(SeverityTerm.ofImage, normal: normal)
        let severities = normal.map { severity.total(of: $0) }
        return Limits(
            severity: severity,
            threshold: Threshold(
                ConformalThreshold(normalValues: severities, falseAlarmRate: falseAlarmRate)
            ),
            normal: severities,
            mask: Threshold(ConformalThreshold(normalValues: onsets, falseAlarmRate: maskRate))
        )
    }

    /// The limits that decide on most frames of this microscope: the tiles' where there are tiles.
    package var limits: Limits {
        get { tiles?.limits ?? image }
        set { if tiles == nil { image = newValue } else { tiles?.limits = newValue } }
    }
}
