/// How well a daemon watched a simulated plate.
package struct CheckReport: Sendable, Equatable, Codable {
    /// `ledger`, or `alarms` where outcomes come from alarm logs only.
    package let source: String
    /// Frames by what became of them.
    package let frames: Frames
    /// Faulty frames against flagged ones; missed and quarantined frames count as not flagged.
    package let detection: Confusion
    /// Wells with a fault against wells with an ONSET.
    package let wells: Confusion
    /// Recall of each class, in steps of strength.
    package let faults: [FaultRecall]
    /// How fast a well's fault is announced.
    package let onset: Onset
    /// From the file's end to the judgement, in s; `nil` without a ledger.
    package let closeToJudged: Percentiles?
    /// From the file's end to the frame's FAULT line, in s.
    package let closeToAlarm: Percentiles?

    /// Frames by what became of them.
    package struct Frames: Sendable, Equatable, Codable {
        /// Frames that were written.
        package let written: Int
        /// Those with a fault.
        package let faulty: Int
        /// Judged; `nil` without a ledger.
        package let judged: Int?
        /// Set apart as unreadable.
        package let quarantined: Int
        /// Not judged on purpose.
        package let skipped: Int
        /// Paths of frames of which nothing is known; `nil` without a ledger, where nobody can say.
        package let missed: [String]?
        /// Paths of frames that were judged, or announced, more than once.
        package let doubled: [String]
        /// Frames of these runs that the truth does not know.
        package let unexpected: Int
    }

    /// Truth against answers.
    package struct Confusion: Sendable, Equatable, Codable {
        /// Faulty and found.
        package let found: Int
        /// Faulty and not found.
        package let overlooked: Int
        /// Normal and taken for faulty.
        package let falseAlarms: Int
        /// Normal and left alone.
        package let passed: Int
        /// Share of the faulty that is found; `nil` for none.
        package let recall: Double?
        /// Share of the alarms that is right; `nil` for none.
        package let precision: Double?
        /// Share of the normal that is taken for faulty; `nil` for none.
        package let falseAlarmRate: Double?

        init(found: Int, overlooked: Int, falseAlarms: Int, passed: Int) {
            (self.found, self.overlooked) = (found, overlooked)
            (self.falseAlarms, self.passed) = (falseAlarms, passed)
            recall = share(found, of: found + overlooked)
            precision = share(found, of: found + falseAlarms)
            falseAlarmRate = share(falseAlarms, of: falseAlarms + passed)
        }

        /// Counts pairs of truth and answer.
        init(_ pairs: some Sequence<(isFaulty: Bool, isFlagged: Bool)>) {
            var counts = [0, 0, 0, 0]
            for pair in pairs { counts[(pair.isFaulty ? 0 : 2) + (pair.isFlagged ? 0 : 1)] += 1 }
            self.init(found: counts[0], overlooked: counts[1], falseAlarms: counts[2], passed: counts[3])
        }
    }

    /// Recall of one class in one step of strength.
    package struct FaultRecall: Sendable, Equatable, Codable {
        /// Published class.
        package let fault: String
        /// Least strength of the step, and least of the next; 0 and 1 for all.
        package let strength: [Double]
        /// Frames that show it.
        package let frames: Int
        /// Those of them that were flagged.
        package let found: Int
        /// Their share; `nil` for none.
        package let recall: Double?

        init(fault: String, strength: [Double], frames: Int, found: Int) {
            (self.fault, self.strength, self.frames, self.found) = (fault, strength, frames, found)
            recall = share(found, of: frames)
        }
    }

    /// From a fault's first frame to the ONSET line.
    package struct Onset: Sendable, Equatable, Codable {
        /// Stretches of faulty frames of a well.
        package let episodes: Int
        /// Those with an ONSET line within.
        package let announced: Int
        /// Those that began while the well counted as faulty already.
        package let alreadyFaulty: Int
        /// Frames from the first faulty one to the one of the line.
        package let frames: Percentiles?
        /// From the end of the first faulty frame's file to the line, in s.
        package let seconds: Percentiles?
    }

    /// Nearest-rank percentiles.
    package struct Percentiles: Sendable, Equatable, Codable {
        /// How many values.
        package let count: Int
        /// Half the values are at most this.
        package let p50: Double
        /// 90 in 100 are at most this.
        package let p90: Double
        /// 99 in 100 are at most this.
        package let p99: Double
        /// The largest.
        package let maximum: Double

        /// `nil` for no values.
        init?(_ values: [Double]) {
            guard let largest = values.max() else { return nil }
            let sorted = values.sorted()
            let rank = { (percent: Int) in sorted[max((sorted.count * percent + 99) / 100, 1) - 1] }
            count = sorted.count
            (p50, p90, p99, maximum) = (rank(50), rank(90), rank(99), largest)
        }
    }

    /// Whether every frame that was written is known; `nil` where nobody can say.
    package var missedNone: Bool? { frames.missed?.isEmpty }
}

private func share(_ part: Int, of whole: Int) -> Double? {
    whole > 0 ? Double(part) / Double(whole) : nil
}
