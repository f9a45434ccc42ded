import Plate
import Testing

/// Alarms as the daemon makes them.
enum Sample {
    static func well(_ name: String = "B1") throws -> Well { try #require(Well(name)) }

    static func fault(
        run: String = "01",
        frame: Int,
        event: Alarm.Event = .fault,
        mask: String? = "masks/01_B1_f100.mask.tiff",
        reason: String? = nil,
        model: String = "3f9ac2",
        tier: Tier = .full,
        confidence: Double = 0,
        terms: [SeverityContribution] = []
    ) throws -> Alarm {
        var judgement = Judgement(
            verdict: .faulty,
            severity: 4.2,
            threshold: 3,
            terms: terms,
            scores: nil,
            score: 0.213,
            cause: ProbableCause(.airBubble, confidence: confidence),
            area: 0.056,
            boundingBox: PixelRectangle(x: 1180, y: 515, width: 100, height: 285)
        )
        judgement.maskPath = mask
        judgement.tier = tier
        return Alarm(
            time: Timestamp(nanoseconds: 1_795_341_601_123_000_000),
            event: event,
            frame: FrameID(run: run, well: try well(), index: frame),
            model: model,
            judgement: judgement,
            reason: reason,
            latencyMilliseconds: 143
        )
    }

    /// A mask drawn with `#` for faulty pixels, one row a line.
    static func mask(_ drawing: String) -> Mask {
        let rows = drawing.split(separator: "\n")
        return Mask(
            height: rows.count,
            width: rows[0].count,
            values: rows.flatMap { row in row.utf8.map { $0 == UInt8(ascii: "#") ? 1 : 0 } }
        )
    }
}
