package import Plate

/// What became of one frame: a row of the ledger.
package struct FrameRecord: Sendable, Equatable {
    /// How the way of the frame ended; every frame ends in exactly one of these.
    package enum Outcome: Sendable, Equatable {
        /// Judged.
        case scored(Score)
        /// Could not be read or judged; the sentence says why.
        case quarantined(reason: String)
        /// Was not meant to be judged; the sentence says why.
        case skipped(reason: String)
    }

    /// Which page of which file.
    package let key: FrameKey
    /// Pages that the file has, at least 1; a file is settled when as many rows exist with its identity.
    package let pages: Int
    /// The content that was judged; `nil` where the file was gone before it could be looked at.
    package let identity: FileIdentity?
    /// What the file's name says; `nil` where the name says nothing.
    package let frame: FrameID?
    /// How it ended.
    package let outcome: Outcome
    /// Name of the model at work, the first digits of its file's SHA-256.
    package let model: String?
    /// When the file was complete on disk.
    package let completed: Timestamp?
    /// When the outcome was decided.
    package let judged: Timestamp

    /// Gathers a row.
    package init(
        key: FrameKey,
        pages: Int = 1,
        identity: FileIdentity?,
        frame: FrameID?,
        outcome: Outcome,
        model: String?,
        completed: Timestamp?,
        judged: Timestamp
    ) {
        precondition(pages > 0 && key.page >= 0, "page \(key.page) of a file of \(pages) pages")
        self.key = key
        self.pages = pages
        self.identity = identity
        self.frame = frame
        self.outcome = outcome
        self.model = model
        self.completed = completed
        self.judged = judged
    }

    /// The state's name in the ledger's `state` column.
    package var state: State {
        switch outcome {
        case .scored: .scored
        case .quarantined: .quarantined
        case .skipped: .skipped
        }
    }

    /// The three states a row can be in.
    package enum State: String, Sendable, CaseIterable {
        /// Judged.
        case scored
        /// Not readable or not judgeable.
        case quarantined
        /// Not meant to be judged.
        case skipped
    }

    /// The figures of a judged frame.
    package struct Score: Sendable, Equatable {
        /// The three image scores.
        package let scores: ImageScores
        /// The one of the three that the model was calibrated on.
        package let chosen: Double
        /// Distance from normal frames in their own spread.
        package let severity: Double
        /// Severity above which the frame is faulty.
        package let threshold: Double
        /// Normal or faulty.
        package let verdict: Verdict
        /// Share of the frame that is faulty, in [0, 1].
        package let area: Double
        /// Rectangle around the faulty pixels.
        package let boundingBox: PixelRectangle?
        /// Probable cause; `nil` for a normal frame.
        package let cause: String?
        /// Path of the mask relative to the run's output folder.
        package let mask: String?
        /// Whether the well counts as faulty from this frame on, after hysteresis; `nil` for a frame that was judged
        /// after a newer one of its well, and changes nothing about it.
        package let wellIsFaulty: Bool?
        /// How much was done for the verdict.
        package let tier: Tier
        /// What the network computed with, for example `f32` or `int8`; `nil` where it was not recorded.
        package let precision: String?
        /// How far the frame is from its well's frames before it; `nil` where that is not known.
        package let change: Double?
        /// How the whole frame looks, see `Judgement.appearance`.
        package let appearance: [Float]

        /// Gathers the figures.
        package init(
            scores: ImageScores,
            chosen: Double,
            severity: Double,
            threshold: Double,
            verdict: Verdict,
            area: Double,
            boundingBox: PixelRectangle?,
            cause: String?,
            mask: String?,
            wellIsFaulty: Bool?,
            tier: Tier = .full,
            precision: String? = nil,
            change: Double? = nil,
            appearance: [Float] = []
        ) {
            self.scores = scores
            self.chosen = chosen
            self.severity = severity
            self.threshold = threshold
            self.verdict = verdict
            self.area = area
            self.boundingBox = boundingBox
            self.cause = cause
            self.mask = mask
            self.wellIsFaulty = wellIsFaulty
            self.tier = tier
            self.precision = precision
            (self.change, self.appearance) = (change, appearance)
        }
    }
}
