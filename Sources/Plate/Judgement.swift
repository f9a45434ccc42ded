/// What is said of a frame.
package enum Verdict: String, Sendable, Equatable, CaseIterable {
    /// Like the frames that the model was calibrated on.
    case normal
    /// Unlike them: the severity is above the threshold.
    case faulty
    /// No judgement was possible: the file is damaged or of a kind that cannot be read.
    case unreadable

    /// Decides: a frame is faulty if its severity is above the threshold.
    ///
    /// Nothing else compares the two. A severity that is not a number does not pass.
    package init(severity: Double, threshold: Double) {
        self = severity <= threshold ? .normal : .faulty
    }
}

/// The three image scores of the benchmark, each over the median-filtered score map.
package struct ImageScores: Sendable, Equatable {
    /// Largest pixel.
    package let maximum: Double
    /// Mean of all pixels.
    package let mean: Double
    /// Largest mean of a 16 x 16 window at stride 8.
    package let patch: Double

    /// Gathers the three scores.
    package init(maximum: Double, mean: Double, patch: Double) {
        (self.maximum, self.mean, self.patch) = (maximum, mean, patch)
    }
}

/// Severities of normal frames in general.
package enum NormalSeverity {
    /// What normal frames of other microscopes reach once in 1000 frames: chosen over five real and three simulated sets.
    package static let onceInThousand = 3.3
}

/// What one term adds to a frame's severity.
package struct SeverityContribution: Sendable, Equatable {
    /// Name of the term, as alarm lines, ledger and exports have it; see `Verdict/Severity.swift` for the list.
    package let term: String
    /// The term's weighted distance from normal frames, in their spread; below 0 where the frame is closer than the median.
    package let value: Double

    /// Gathers the two.
    package init(term: String, value: Double) {
        (self.term, self.value) = (term, value)
    }
}

/// What was found in one readable frame: the one record that judge, alarm, ledger, exports and page share.
///
/// The detector fills in the first part. The daemon adds the second part when it knows the frame's place in its well.
package struct Judgement: Sendable, Equatable {
    /// The pictures of a frame; they take megabytes and are let go once they are written.
    package struct Pictures: Sendable, Equatable {
        /// The faulty pixels; empty where nothing passes the mask's threshold.
        package let mask: Mask
        /// The median-filtered residual that the scores were taken from.
        package let map: ScoreMap

        /// Gathers the two.
        package init(mask: Mask, map: ScoreMap) {
            (self.mask, self.map) = (mask, map)
        }
    }

    /// Normal or faulty.
    package var verdict: Verdict
    /// Distance from normal frames in their own spread, at least 0.
    package let severity: Double
    /// The severity above which a frame is faulty.
    package let threshold: Double
    /// The severity above which a frame that passes is suspect; `nil` where the record does not say it.
    package let suspectLimit: Double?
    /// What each term adds to the severity, in the order of the formula.
    package let terms: [SeverityContribution]
    /// The three image scores; `nil` for a judgement read from an alarm line, which has `score` only.
    package let scores: ImageScores?
    /// The one of the three that the model was calibrated on.
    package let score: Double
    /// Why a faulty frame is faulty; `unknown` for a normal one.
    package var cause: ProbableCause
    /// Share of the frame that is faulty, in [0, 1].
    package let area: Double
    /// Rectangle around the faulty pixels, in pixels.
    package let boundingBox: PixelRectangle?
    /// Columns of the frame; `nil` where the record does not say it.
    package let width: Int?
    /// Rows of the frame; `nil` where the record does not say it.
    package let height: Int?
    /// How the whole frame looks, apart from its brightness: figures in the spread of normal tiles; empty if the model has none.
    package let appearance: [Float]
    /// Mask and map, as long as somebody needs them.
    package var pictures: Pictures?
    /// Where the frame stands out, until it was compared with its well's frames; `nil` for a model without a classifier of tiles.
    package var detail: FrameDetail?

    /// How much was done for the verdict.
    package var tier = Tier.full
    /// What the network computed with, for example `f32` or `int8`; `nil` where it was not recorded.
    package var precision: String?
    /// Path of the mask relative to the run's output folder; `nil` where none was written.
    package var maskPath: String?
    /// Whether the well counts as faulty from this frame on, after hysteresis; `nil` for a frame that was judged after a newer
    /// one of its well.
    package var wellIsFaulty: Bool?
    /// How far the frame is from the well's frames before it (`ChangeRule`); `nil` where that is not known.
    package var change: Double?
    /// How much stands out that was not there before, in hundredths of the background (`ArrivalRule`); `nil` where that is not known.
    package var arrival: Double?
    /// The evidence for a fault that the well has gathered up to this frame (`EvidenceRule`); `nil` where it was not recorded.
    package var evidence: Double?

    /// Gathers what the detector says; area and rectangle are the mask's.
    package init(
        severity: Double,
        threshold: Double,
        suspectLimit: Double? = nil,
        terms: [SeverityContribution],
        scores: ImageScores,
        score: Double,
        cause: ProbableCause,
        appearance: [Float],
        pictures: Pictures
    ) {
        self.init(
            verdict: Verdict(severity: severity, threshold: threshold),
            severity: severity,
            threshold: threshold,
            suspectLimit: suspectLimit,
            terms: terms,
            scores: scores,
            score: score,
            cause: cause,
            area: pictures.mask.area,
            boundingBox: pictures.mask.boundingBox,
            width: pictures.mask.width,
            height: pictures.mask.height,
            appearance: appearance
        )
        self.pictures = pictures
    }

    /// Gathers what a record of the judgement says.
    package init(
        verdict: Verdict,
        severity: Double,
        threshold: Double,
        suspectLimit: Double? = nil,
        terms: [SeverityContribution] = [],
        scores: ImageScores?,
        score: Double,
        cause: ProbableCause = .unknown,
        area: Double,
        boundingBox: PixelRectangle?,
        width: Int? = nil,
        height: Int? = nil,
        appearance: [Float] = []
    ) {
        self.verdict = verdict
        self.severity = severity
        self.threshold = threshold
        self.suspectLimit = suspectLimit
        self.terms = terms
        self.scores = scores
        self.score = score
        self.cause = cause
        self.area = area
        self.boundingBox = boundingBox
        (self.width, self.height) = (width, height)
        self.appearance = appearance
    }

    /// Whether the frame passes, but is less usual than normal frames are: shown, not alarmed.
    package var isSuspect: Bool { verdict == .normal && suspectLimit.map { severity > $0 } ?? false }

    /// The term that adds most to the severity; `nil` where the terms are not known.
    package var largestTerm: SeverityContribution? { terms.max { $0.value < $1.value } }

    /// Name of the term that makes the frame faulty most of all; `nil` where the severity is not above the threshold.
    package var term: String? {
        Verdict(severity: severity, threshold: threshold) == .faulty ? largestTerm?.term : nil
    }

    /// Name of a faulty frame's cause, `unknown` included; `nil` for a normal frame.
    package var causeName: String? { verdict == .faulty ? cause.cause.rawValue : nil }

    /// How sure the cause is, from 0 to 1; `nil` where there is none, or where it was not recorded.
    package var confidence: Double? {
        cause.cause != .unknown && cause.confidence > 0 ? cause.confidence : nil
    }

    /// The same judgement, faulty because the camera delivers one image again and again.
    package var frozen: Judgement {
        var judgement = self
        (judgement.verdict, judgement.cause) = (.faulty, ProbableCause(.frozen, confidence: 1))
        return judgement
    }

    /// Whether every figure is a number: a file of floats can hold values that no sum survives.
    package var isFinite: Bool {
        let scores = scores.map { [$0.maximum, $0.mean, $0.patch] } ?? []
        return (scores + [score, severity]).allSatisfy(\.isFinite)
    }
}

extension Judgement {
    /// The verdict in words for people, for example
    /// `severity 9.1 (limit 3.6): mostly many tiles that look like a known fault, in the left third`.
    ///
    /// `words` says what a term means. A normal frame has the two figures only.
    package func explanation(words: (_ term: String) -> String = { $0 }) -> String {
        let figures = Self.figures(severity, threshold)
        let what = "severity \(figures.0) (limit \(figures.1))"
        guard verdict == .faulty, !severity.isNaN else { return what }
        let isFrozen = cause.cause == .frozen
        let reasons = [
            isFrozen ? "the same image again and again" : nil, term.map { "mostly \(words($0))" },
            isFrozen ? nil : place,
        ].compactMap(\.self)
        return reasons.isEmpty ? what : "\(what): \(reasons.joined(separator: ", "))"
    }

    /// Two figures with as few decimals as one reads, and with more, three at most, where they would look the same.
    private static func figures(_ first: Double, _ second: Double) -> (String, String) {
        func text(_ figure: Double, _ more: Int) -> String {
            figure.fixed((abs(figure) >= 100 ? 0 : 1) + more)
        }
        for more in 0..<2 where text(first, more) != text(second, more) {
            return (text(first, more), text(second, more))
        }
        return (first.fixed(3), second.fixed(3))
    }

    /// Where in the frame the mask lies; `nil` where the record does not say it.
    private var place: String? {
        let everywhere = "over the whole frame"
        // A frame out of focus or without an image is so everywhere: its mask marks only what stands out most.
        if cause.cause == .zShift || cause.cause == .blank { return everywhere }
        guard let boundingBox, let width, let height, width > 0, height > 0 else { return nil }
        let column = Self.third(boundingBox.x, boundingBox.width, of: width).map {
            ["left", "middle", "right"][$0]
        }
        let row = Self.third(boundingBox.y, boundingBox.height, of: height).map {
            ["upper", "middle", "lower"][$0]
        }
        switch (row, column) {
        case (nil, nil): return everywhere
        case (nil, let column?): return "in the \(column) third"
        case ("middle", nil): return "across the middle"
        case (let row?, nil): return "in the \(row) third"
        case ("middle", "middle"): return "in the middle"
        case ("middle", let column?): return "in the \(column) third"
        case (let row?, let column?): return "in the \(row) \(column)"
        }
    }

    /// The third that holds a part's centre; `nil` for a part of more than two thirds.
    private static func third(_ start: Int, _ length: Int, of whole: Int) -> Int? {
        let (start, length, whole) = (Double(start), Double(length), Double(whole))
        guard length <= whole * 2 / 3 else { return nil }
        let centre = (start + length / 2) / whole
        return centre < 1.0 / 3 ? 0 : centre < 2.0 / 3 ? 1 : 2
    }
}

/// What probably makes a frame faulty.
package enum Cause: String, Sendable, Equatable, CaseIterable, Codable {
    /// A bubble of air in the medium.
    case airBubble = "air-bubble"
    /// Dust in the light path, or rows that the camera did not deliver.
    case artifact
    /// The whole frame out of focus.
    case zShift = "z-shift"
    /// Too much, too little or uneven light.
    case illumination
    /// Hair, fibres, mould or debris in the well.
    case contamination
    /// Every pixel alike: no image at all.
    case blank
    /// The same image as before, to the last bit.
    case frozen
    /// None that is likely enough.
    case unknown

    /// What to do about it, in one line; `nil` where nothing is known.
    package var advice: String? {
        switch self {
        case .airBubble: "degas the medium, pipette the well again or skip it"
        case .artifact: "clean the lens and the plate's bottom; check the camera's cable if rows are missing"
        case .zShift: "refocus the well; if its neighbours drift too, check the stage and the plate's seat"
        case .illumination: "check lamp, exposure and aperture; condensation on the lid looks like this, too"
        case .contamination: "skip the well and look for the source: tips, medium, dust from the lid"
        case .blank: "check the lamp's shutter and the camera"
        case .frozen: "restart the acquisition software: the camera delivers the same image again and again"
        case .unknown: nil
        }
    }
}

/// A cause and how sure it is.
package struct ProbableCause: Sendable, Equatable {
    /// The cause.
    package let cause: Cause
    /// From 0 to 1, as a probability among the known causes; 0 where it was not recorded.
    package let confidence: Double

    /// Nothing is known.
    package static let unknown = ProbableCause(.unknown, confidence: 0)

    /// Names a cause.
    package init(_ cause: Cause, confidence: Double) {
        (self.cause, self.confidence) = (cause, confidence)
    }
}

/// How much of a frame was judged, and whether in the order of time.
package enum Tier: String, Sendable, Equatable, CaseIterable {
    /// All of it, before the newer frames of its well.
    case full
    /// Every second patch by the network, the other ones in the next frame (`PatchSelection`): the plate came faster than this
    /// machine judges.
    case half
    /// After newer frames of its well: it waited while the plate came faster than this machine judges.
    case deferred
}
