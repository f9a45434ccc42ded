import Foundation
import GRDB
import Plate

/// The translation between a record and a row of `frames`.
enum FrameRow {
    /// Every column but `id`, in the order that `values` gives them.
    private static let columns = [
        "root", "path", "page", "pages", "device", "inode", "size", "mtime_ns", "run", "well", "frame",
        "state", "reason", "score_max", "score_mean", "score_patch", "score", "severity", "threshold",
        "verdict", "area", "box_x", "box_y", "box_width", "box_height", "cause", "mask", "well_faulty",
        "tier", "precision", "change", "appearance", "model", "completed_ns", "judged_ns", "sequence",
    ]

    private static let upsertStatement = """
        INSERT INTO frames (\(columns.joined(separator: ", ")))
        VALUES (\(columns.map { _ in "?" }.joined(separator: ", ")))
        ON CONFLICT (root, path, page) DO UPDATE SET
        \(columns.dropFirst(3).map { "\($0) = excluded.\($0)" }.joined(separator: ", "))
        """

    static func upsert(_ record: FrameRecord, root: Int64, sequence: Int64, in database: Database) throws {
        let statement = try database.cachedStatement(sql: upsertStatement)
        try statement.execute(arguments: values(record, root: root, sequence: sequence))
    }

    private static func values(_ record: FrameRecord, root: Int64, sequence: Int64) -> StatementArguments {
        var reason: String?
        var score: FrameRecord.Score?
        switch record.outcome {
        case .scored(let figures): score = figures
        case .quarantined(let words), .skipped(let words): reason = words
        }
        let box = score?.boundingBox
        // SQLite has signed integers only: device and inode keep their bit pattern.
        let values: [(any DatabaseValueConvertible)?] = [
            root, record.key.path, record.key.page, record.pages,
            record.identity.map { Int64(bitPattern: $0.device) },
            record.identity.map { Int64(bitPattern: $0.inode) },
            record.identity?.size, record.identity?.modified.nanoseconds,
            record.frame?.run, record.frame?.well.description, record.frame?.index,
            record.state.rawValue, reason,
            score?.scores.maximum, score?.scores.mean, score?.scores.patch, score?.chosen,
            score?.severity, score?.threshold, score?.verdict.rawValue,
            score?.area, box?.x, box?.y, box?.width, box?.height,
            score?.cause, score?.mask, score?.wellIsFaulty,
            score?.tier.rawValue, score?.precision, score?.change,
            score.flatMap { $0.appearance.isEmpty ? nil : Data($0.appearance.packed) }, record.model,
            record.completed?.nanoseconds, record.judged.nanoseconds, sequence,
        ]
        return StatementArguments(values)
    }

    /// Columns and joins that `record(from:)` expects; a `WHERE` may follow.
    static let selection =
        "SELECT frames.*, roots.path AS root_path FROM frames JOIN roots ON roots.id = root"

    static func record(from row: Row) throws -> FrameRecord {
        FrameRecord(
            key: FrameKey(root: row["root_path"], path: row["path"], page: row["page"]),
            pages: row["pages"],
            identity: identity(from: row),
            frame: frame(from: row),
            outcome: try outcome(from: row),
            model: row["model"],
            completed: (row["completed_ns"] as Int64?).map { Timestamp(nanoseconds: $0) },
            judged: Timestamp(nanoseconds: row["judged_ns"])
        )
    }

    private static func identity(from row: Row) -> FileIdentity? {
        guard let device: Int64 = row["device"], let inode: Int64 = row["inode"],
            let size: Int64 = row["size"], let modified: Int64 = row["mtime_ns"]
        else { return nil }
        return FileIdentity(
            device: UInt64(bitPattern: device),
            inode: UInt64(bitPattern: inode),
            size: size,
            modified: Timestamp(nanoseconds: modified)
        )
    }

    private static func frame(from row: Row) -> FrameID? {
        guard let run: String = row["run"], let name: String = row["well"], let well = Well(name),
            let index: Int = row["frame"]
        else { return nil }
        return FrameID(run: run, well: well, index: index)
    }

    private static func outcome(from row: Row) throws -> FrameRecord.Outcome {
        switch FrameRecord.State(rawValue: row["state"]) {
        case .scored: .scored(try score(from: row))
        case .quarantined: .quarantined(reason: row["reason"] ?? "")
        case .skipped: .skipped(reason: row["reason"] ?? "")
        case nil: throw DatabaseError(message: "unknown state in \(row["path"] as String? ?? "a row")")
        }
    }

    private static func score(from row: Row) throws -> FrameRecord.Score {
        guard let verdict = (row["verdict"] as String?).flatMap(Verdict.init(rawValue:)) else {
            throw DatabaseError(message: "the verdict is missing in \(row["path"] as String? ?? "a row")")
        }
        // SQLite has no NaN: it keeps one as null.
        func figure(_ column: String) -> Double { row[column] ?? .nan }
        var box: PixelRectangle?
        if let x: Int = row["box_x"], let y: Int = row["box_y"], let width: Int = row["box_width"],
            let height: Int = row["box_height"]
        {
            box = PixelRectangle(x: x, y: y, width: width, height: height)
        }
        return FrameRecord.Score(
            scores: ImageScores(
                maximum: figure("score_max"),
                mean: figure("score_mean"),
                patch: figure("score_patch")
            ),
            chosen: figure("score"),
            severity: figure("severity"),
            threshold: figure("threshold"),
            verdict: verdict,
            area: figure("area"),
            boundingBox: box,
            cause: row["cause"],
            mask: row["mask"],
            wellIsFaulty: row["well_faulty"],
            tier: (row["tier"] as String?).flatMap(Tier.init(rawValue:)) ?? .full,
            precision: row["precision"],
            change: row["change"],
            appearance: (row["appearance"] as Data?).map { [Float](packed: $0) } ?? []
        )
    }
}
