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
            device: .max,
            inode: 1 << 63,
            size: size,
            modified: Timestamp(nanoseconds: 1_795_000_000_123_456_789)
        )
    }

    static func scored(
        _ path: String,
        frame: Int,
        verdict: Verdict = .normal,
        page: Int = 0,
        pages: Int = 1,
        size: Int64 = 10,
        well: String = "B1",
        tier: Tier = .full,
        isLate: Bool = false
    ) throws -> FrameRecord {
        let faulty = verdict == .faulty
        return try FrameRecord(
            key: FrameKey(root: "/in", path: path, page: page),
            pages: pages,
            identity: identity(size: size),
            frame: FrameID(run: "01", well: self.well(well), index: frame),
            outcome: .scored(
                FrameRecord.Score(
                    scores: ImageScores(maximum: 0.9, mean: 0.1, patch: 0.25),
                    chosen: 0.25,
                    severity: 4.5,
                    threshold: 3,
                    verdict: verdict,
                    area: faulty ? 0.056 : 0,
                    boundingBox: faulty ? PixelRectangle(x: 1180, y: 515, width: 100, height: 285) : nil,
                    cause: faulty ? "unknown" : nil,
                    mask: faulty ? "masks/01_B1_f100.mask.tiff" : nil,
                    wellIsFaulty: isLate ? nil : faulty,
                    tier: tier,
                    precision: "int8",
                    change: 0.75,
                    appearance: [-1, 2.5]
                )
            ),
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
