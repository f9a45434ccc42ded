package import Plate

/// Which image score decides.
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

/// When a frame is faulty and which of its pixels are, and how both limits were found.
package struct Calibration: Sendable, Equatable, Codable {
    /// Which image score decides.
    package var scoreKind: ScoreKind
    /// The score's distance from normal frames.
    package var scale: SeverityScale
    /// The severity above which a frame is faulty.
    package var threshold: Double
    /// Side of the square window over which the map is averaged before the mask is taken, in pixels.
    package var maskWindow: Int
    /// The averaged residual above which a pixel is faulty.
    package var maskThreshold: Double
    /// How the severity's threshold was found.
    package var thresholdOrigin: Origin
    /// How the mask's threshold was found.
    package var maskOrigin: Origin
    /// What normal tiles look like; then severity, verdict and mask come from these and the score map together.
    ///
    /// Absent from older files and from models of the `reference` profile.
    package var normal: NormalModel?

    /// How a threshold was found.
    package enum Origin: Sendable, Equatable, Codable {
        /// From normal frames alone, for a rate of false alarms.
        case conformal(ConformalThreshold)
        /// By the published greedy search over labelled frames.
        case greedy(GreedyThreshold)
    }

    /// Gathers a calibration.
    package init(
        scoreKind: ScoreKind,
        scale: SeverityScale,
        threshold: (value: Double, origin: Origin),
        maskWindow: Int,
        mask: (value: Double, origin: Origin)
    ) {
        self.maskWindow = maskWindow
        self.scoreKind = scoreKind
        self.scale = scale
        (self.threshold, self.thresholdOrigin) = threshold
        (self.maskThreshold, self.maskOrigin) = mask
    }

    /// The faulty pixels of a map, without specks.
    package func mask(of map: ScoreMap) -> Mask {
        Self.specks(window: maskWindow).filtered(
            map.mask(ofWindowMean: maskWindow, above: Float(largestNotAbove: maskThreshold))
        )
    }

    /// What is too small for a fault: the published 7 pixels, or a quarter of the window where that is larger.
    package static func specks(window: Int) -> ComponentFilter {
        ComponentFilter(largestRemovedArea: max(7, window * window / 4))
    }

    /// Distance of a score from normal frames, in their own spread, at least 0.
    package func severity(of score: Double) -> Double { scale.severity(of: score) }
}
