import Foundation
import Ledger
import Plate
import TestSupport
import Testing

/// Records as the daemon makes them.
enum Sample {
    static func well(_ name: String = "B1") throws -> Well { try #require(Well(name)) }

    static func identity(size: Int64 = 10) -> FileIdentity {
        FileIdentity(
            inode: 1 << 63,
            size: size,
            modified: Timestamp(nanoseconds: 1_795_000_000_123_456_789)
        )
    }

    static func judged(
        _ path: String,
        frame: Int,
        verdict: Verdict = .normal,
        page: Int = 0,
        pages: Int = 1,
        digest: PageDigest? = nil,
        size: Int64 = 10,
        well: String = "B1",
        tier: Tier = .full,
        isLate: Bool = false,
        terms: [SeverityContribution] = [
            SeverityContribution(term: "level", value: -0.25),
            SeverityContribution(term: "tiles_top", value: 4.125),
        ]
    ) throws -> FrameRecord {
        let faulty = verdict == .faulty
        var judgement = Judgement(
            verdict: verdict,
            severity: 4.5,
            threshold: 3,
            suspectLimit: 2,
            terms: terms,
            scores: ImageScores(maximum: 0.9, mean: 0.1, patch: 0.25),
            score: 0.25,
            cause: faulty ? ProbableCause(.airBubble, confidence: 0.75) : .unknown,
            area: faulty ? 0.056 : 0,
            boundingBox: faulty ? PixelRectangle(x: 1180, y: 515, width: 100, height: 285) : nil,
            width: 1280,
            height: 800,
            appearance: [-1, 2.5]
        )
        judgement.tier = tier
        judgement.precision = "int8"
        judgement.maskPath = faulty ? "masks/01_B1_f100.mask.tiff" : nil
        judgement.wellIsFaulty = isLate ? nil : faulty
        judgement.change = 0.75
        judgement.evidence = 1.5
        return try FrameRecord(
            source: FrameSource(root: "/in", path: path, page: page, identity: identity(size: size)),
            pages: pages,
            digest: digest,
            frame: FrameID(run: "01", well: self.well(well), index: frame),
            outcome: .judged(judgement),
            model: "3f9ac2d41b7e",
            completed: Timestamp(nanoseconds: 1),
            judged: Timestamp(nanoseconds: 2)
        )
    }
}

/// Runs a test on a new ledger.
func withLedger(_ body: (FrameLedger) throws -> Void) async throws {
    try await withTemporaryFolder { folder in
        let ledger = try FrameLedger(path: folder.appending(path: "ledger.sqlite").path)
        try body(ledger)
    }
}

extension FrameLedger {
    /// The row of one page of a file, whatever content it had.
    func record(at place: FrameSource.Place) throws -> FrameRecord? {
        var found: FrameRecord?
        try forEach { if $0.source.place == place { found = $0 } }
        return found
    }
}
