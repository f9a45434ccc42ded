/// A moment as nanoseconds since 1970-01-01T00:00:00Z, the resolution that file systems and logs keep.
public struct Timestamp: Hashable, Sendable, Comparable {
    /// Nanoseconds since the Unix epoch.
    public let nanoseconds: Int64

    /// Wraps nanoseconds since the Unix epoch.
    public init(nanoseconds: Int64) {
        self.nanoseconds = nanoseconds
    }

    /// Earlier before later.
    public static func < (left: Timestamp, right: Timestamp) -> Bool {
        left.nanoseconds < right.nanoseconds
    }
}

/// One line of a well's alarm log.
public struct Alarm: Sendable, Equatable {
    /// What happened.
    public enum Event: String, Sendable, CaseIterable {
        /// The well turned faulty, after hysteresis.
        case onset = "ONSET"
        /// One frame is faulty.
        case fault = "FAULT"
        /// The well is normal again, after hysteresis.
        case clear = "CLEAR"
        /// The well creeps towards the threshold, or looks otherwise than before, while its frames still pass.
        case drift = "DRIFT"
        /// Several wells that are faulty or drift have something in common: a lens, a row, a column, the edge, or all of them do.
        case plate = "PLATE"
        /// What several wells had in common does not hold any more.
        case plateClear = "PLATE-CLEAR"
        /// Frames of the well stopped coming.
        case stalled = "STALLED"
        /// A frame could not be judged.
        case unreadable = "UNREADABLE"
    }

    /// When the line was written.
    public let time: Timestamp
    /// What happened.
    public let event: Event
    /// The frame it was seen on.
    public let frame: FrameID
    /// Name of the model that judged, the first digits of its file's SHA-256.
    public let model: String
    /// The judgement, without which the event is `stalled` or `unreadable`.
    public let finding: Finding?
    /// What faulty wells have in common, for `plate` and `plateClear`, for example `lens-6`.
    public let pattern: String?
    /// For `onset`, the frames between which the fault began.
    public let beginning: Beginning?
    /// A sentence: why a frame could not be judged, how long frames have been missing, how far a well has drifted.
    public let reason: String?
    /// From the frame's completion on disk to this line, in milliseconds.
    public let latencyMilliseconds: Int?

    /// Where the fault that turned a well faulty began.
    public struct Beginning: Sendable, Equatable {
        /// Index of the first faulty frame.
        public let firstFaulty: Int
        /// Index of the last normal frame before it; `nil` where none is known.
        public let lastGood: Int?

        /// Names both frames.
        public init(firstFaulty: Int, lastGood: Int?) {
            self.firstFaulty = firstFaulty
            self.lastGood = lastGood
        }
    }

    /// The figures of a judged frame that an operator reads.
    public struct Finding: Sendable, Equatable {
        /// Image score.
        public let score: Double
        /// Severity above which a frame is faulty.
        public let threshold: Double
        /// Distance from normal frames in their own spread.
        public let severity: Double
        /// Probable cause, for example `air-bubble`; `unknown` where there is none.
        public let cause: String
        /// How sure the cause is, from 0 to 1; `nil` where it is not known.
        public let confidence: Double?
        /// Share of the frame that is faulty, in [0, 1].
        public let area: Double
        /// Rectangle around the faulty pixels.
        public let boundingBox: PixelRectangle?
        /// Path of the mask, relative to the run's output folder.
        public let mask: String?
        /// How much was done for the verdict.
        public let tier: Tier

        /// Gathers the figures.
        public init(
            score: Double,
            threshold: Double,
            severity: Double,
            cause: String,
            confidence: Double? = nil,
            area: Double,
            boundingBox: PixelRectangle?,
            mask: String?,
            tier: Tier = .full
        ) {
            self.score = score
            self.threshold = threshold
            self.severity = severity
            self.cause = cause
            self.confidence = confidence
            self.area = area
            self.boundingBox = boundingBox
            self.mask = mask
            self.tier = tier
        }
    }

    /// Gathers a line.
    public init(
        time: Timestamp,
        event: Event,
        frame: FrameID,
        model: String,
        finding: Finding?,
        pattern: String? = nil,
        beginning: Beginning? = nil,
        reason: String?,
        latencyMilliseconds: Int?
    ) {
        self.time = time
        self.event = event
        self.frame = frame
        self.model = model
        self.finding = finding
        self.pattern = pattern
        self.beginning = beginning
        self.reason = reason
        self.latencyMilliseconds = latencyMilliseconds
    }
}
