/// A moment as nanoseconds since 1970-01-01T00:00:00Z, the resolution that file systems and logs keep.
package struct Timestamp: Hashable, Sendable, Comparable, Codable {
    /// Nanoseconds since the Unix epoch.
    package let nanoseconds: Int64

    /// Wraps nanoseconds since the Unix epoch.
    package init(nanoseconds: Int64) {
        self.nanoseconds = nanoseconds
    }

    /// Earlier before later.
    package static func < (left: Timestamp, right: Timestamp) -> Bool {
        left.nanoseconds < right.nanoseconds
    }

    /// The time from one moment to another, of any two.
    package static func - (later: Timestamp, earlier: Timestamp) -> Duration {
        // Each of them fits, where the difference as an Int64 may not: times come from files, and may be at either end.
        .nanoseconds(later.nanoseconds) - .nanoseconds(earlier.nanoseconds)
    }

    /// The moment a while before; the first one there is where that would be earlier.
    package static func - (time: Timestamp, duration: Duration) -> Timestamp {
        Timestamp(nanoseconds: time.nanoseconds.saturatingSubtract(duration.wholeNanoseconds))
    }
}

extension Duration {
    /// Nanoseconds, held at the ends of `Int64`: some 292 years.
    package var wholeNanoseconds: Int64 {
        let (seconds, attoseconds) = components
        return seconds.saturatingMultiply(1_000_000_000).saturatingAdd(attoseconds / 1_000_000_000)
    }

    /// Milliseconds, held at the ends of `Int`.
    package var wholeMilliseconds: Int {
        let (seconds, attoseconds) = components
        return Int(
            clamping: seconds.saturatingMultiply(1000).saturatingAdd(attoseconds / 1_000_000_000_000_000)
        )
    }
}

/// One line of a well's alarm log.
package struct Alarm: Sendable, Equatable {
    /// What happened.
    package enum Event: String, Sendable, CaseIterable {
        /// The well turned faulty, after hysteresis.
        case onset = "ONSET"
        /// One frame is faulty.
        case fault = "FAULT"
        /// The well is normal again, after hysteresis.
        case clear = "CLEAR"
        /// The well's frames still pass, but look different from one frame to the next.
        case shift = "SHIFT"
        /// The well's frames still pass, but their severity creeps towards the threshold.
        case drift = "DRIFT"
        /// Several wells that are faulty, have shifted or drift have something in common: a lens, a row, a column, the edge, or all
        /// of them do.
        case plate = "PLATE"
        /// What several wells had in common does not hold any more.
        case plateClear = "PLATE-CLEAR"
        /// Frames of the well stopped coming.
        case stalled = "STALLED"
        /// A frame could not be judged.
        case unreadable = "UNREADABLE"
    }

    /// Whether it is about a fault of its frame or well, which has a cause; the others are about frames that pass.
    package var isOfFault: Bool { event == .fault || event == .onset }

    /// When the line was written.
    package let time: Timestamp
    /// What happened.
    package let event: Event
    /// The frame it was seen on.
    package let frame: FrameID
    /// Name of the model that judged, the first digits of its file's SHA-256.
    package let model: String
    /// The judgement of the frame; `nil` where none was judged, and for an alarm that was read from the ledger.
    package let judgement: Judgement?
    /// What faulty wells have in common, for `plate` and `plateClear`, for example `lens-6`.
    package let pattern: String?
    /// For `onset`, the frames between which the fault began.
    package let beginning: Beginning?
    /// A sentence: why a frame could not be judged, how long frames have been missing, how far a well has shifted or drifted.
    package let reason: String?
    /// From the frame's completion on disk to this line, in milliseconds.
    package let latencyMilliseconds: Int?

    /// Where the fault that turned a well faulty began.
    package struct Beginning: Sendable, Equatable {
        /// Index of the first faulty frame.
        package let firstFaulty: Int
        /// Index of the last normal frame before it; `nil` where none is known.
        package let lastGood: Int?

        /// Names both frames.
        package init(firstFaulty: Int, lastGood: Int?) {
            (self.firstFaulty, self.lastGood) = (firstFaulty, lastGood)
        }
    }

    /// Gathers a line.
    package init(
        time: Timestamp,
        event: Event,
        frame: FrameID,
        model: String,
        judgement: Judgement? = nil,
        pattern: String? = nil,
        beginning: Beginning? = nil,
        reason: String? = nil,
        latencyMilliseconds: Int? = nil
    ) {
        self.time = time
        self.event = event
        self.frame = frame
        self.model = model
        self.judgement = judgement
        self.pattern = pattern
        self.beginning = beginning
        self.reason = reason
        self.latencyMilliseconds = latencyMilliseconds
    }
}
