import Foundation
import GRDB
import Plate

/// The translation between a record and a row of `frames`.
enum FrameRow {
    /// Every column but `id`, in the order that `values` gives them.
    static let columns = [
        "root", "path", "page", "pages", "inode", "size", "mtime_ns", "ctime_ns", "run", "well", "view",
        "frame",
        "state", "reason", "score_max", "score_mean", "score_patch", "score", "severity", "threshold",
        "suspect_limit", "terms", "verdict", "width", "height", "area", "box_x", "box_y", "box_width",
        "box_height", "cause",
        "confidence", "mask", "well_faulty", "tier", "precision", "change", "arrival", "evidence",
        "appearance", "model",
        "completed_ns", "judged_ns", "sequence", "pixels", "stored", "turn",
    ]

    private static let upsertStatement = """
        INSERT INTO frames (\(columns.joined(separator: ", ")))
        VALUES (\(columns.map { _ in "?" }.joined(separator: ", ")))
        ON CONFLICT (root, path, page) DO UPDATE SET
        \(columns.dropFirst(3).dropLast().map { "\($0) = excluded.\($0)" }.joined(separator: ", ")),
        turn = CASE WHEN excluded.turn IS NULL THEN NULL ELSE coalesce(frames.turn, excluded.turn) END
        """

    static func upsert(_ record: FrameRecord, root: Int64, sequence: Int64, in database: Database) throws {
        let statement = try database.cachedStatement(sql: upsertStatement)
        try statement.execute(arguments: values(record, root: root, sequence: sequence))
    }

    private static func values(_ record: FrameRecord, root: Int64, sequence: Int64) -> StatementArguments {
        let (identity, judgement) = (record.source.identity, record.judgement)
        let box = judgement?.boundingBox
        // SQLite has signed integers only: device and inode keep their bit pattern.
        let values: [(any DatabaseValueConvertible)?] = [
            root, record.source.path, record.source.page, record.pages,
            identity.map { Int64(bitPattern: $0.inode) }, identity?.size, identity?.modified.nanoseconds,
            identity?.changed.nanoseconds,
            record.frame?.run, record.frame?.well.description, record.frame?.view.description,
            record.frame?.index,
            record.state.rawValue, record.reason,
            judgement?.scores?.maximum, judgement?.scores?.mean, judgement?.scores?.patch, judgement?.score,
            judgement?.severity, judgement?.threshold, judgement?.suspectLimit,
            judgement.flatMap { TermsText.write($0.terms) }, judgement?.verdict.rawValue,
            judgement?.width, judgement?.height,
            judgement?.area, box?.x, box?.y, box?.width, box?.height,
            judgement?.causeName, judgement?.confidence, judgement?.maskPath, judgement?.wellIsFaulty,
            judgement?.tier.rawValue, judgement?.precision, judgement?.change, judgement?.arrival,
            judgement?.evidence,
            judgement.flatMap { $0.appearance.isEmpty ? nil : Data($0.appearance.packed) }, record.model,
            record.completed?.nanoseconds, record.judged.nanoseconds, sequence,
            record.digest.map { Int64(bitPattern: $0.pixels) },
            record.digest.map { Int64(bitPattern: $0.stored) },
            // A frame that is judged again keeps its turn.
            judgement?.wellIsFaulty == nil ? nil : sequence,
        ]
        return StatementArguments(values)
    }

    /// Columns and joins that `record(from:)` expects; a `WHERE` may follow.
    static let selection =
        "SELECT frames.*, roots.path AS root_path FROM frames JOIN roots ON roots.id = root"

    /// The same for `source(from:)` and `frame(from:)`.
    static let sourceSelection = """
        SELECT roots.path AS root_path, frames.path, page, inode, size, mtime_ns, ctime_ns, run, well, view, frame
        FROM frames JOIN roots ON roots.id = root
        """

    /// Pages that a file can have; `TIFFReader` refuses more.
    private static let mostPages = 1 << 31
    /// Longest side of a frame, and of what lies in it.
    private static let longestSide = 1 << 30

    /// The whole row; throws where it says what no frame is like.
    static func record(from row: Row) throws -> FrameRecord {
        guard let source = source(from: row) else { throw senseless(row, "page") }
        guard let pages: Int = row["pages"], (1...mostPages).contains(pages) else {
            throw senseless(row, "pages")
        }
        if let index: Int = row["frame"], !FrameID.indices.contains(index) { throw senseless(row, "frame") }
        return FrameRecord(
            source: source,
            pages: pages,
            digest: digest(row["pixels"], row["stored"]),
            frame: frame(from: row),
            outcome: try outcome(from: row),
            model: row["model"],
            completed: (row["completed_ns"] as Int64?).map { Timestamp(nanoseconds: $0) },
            judged: Timestamp(nanoseconds: row["judged_ns"])
        )
    }

    static func digest(_ pixels: Int64?, _ stored: Int64?) -> PageDigest? {
        guard let pixels, let stored else { return nil }
        return PageDigest(pixels: UInt64(bitPattern: pixels), stored: UInt64(bitPattern: stored))
    }

    /// An error that names a row and what makes no sense in it.
    private static func senseless(_ row: Row, _ column: String) -> DatabaseError {
        let (path, value) = (row["path"] as String? ?? "?", (row[column] as DatabaseValue?) ?? .null)
        let page = (row["page"] as DatabaseValue?) ?? .null
        return DatabaseError(
            resultCode: .SQLITE_CORRUPT,
            message: "the row of \(path), page \(page), in the table frames has \(value) as its \(column)"
        )
    }

    /// A page of a file; `nil` where there can be no such page.
    static func source(from row: Row) -> FrameSource? {
        guard let page: Int = row["page"], (0..<mostPages).contains(page) else { return nil }
        return FrameSource(
            root: row["root_path"],
            path: row["path"],
            page: page,
            identity: identity(from: row)
        )
    }

    private static func identity(from row: Row) -> FileIdentity? {
        guard let inode: Int64 = row["inode"], let size: Int64 = row["size"],
            let modified: Int64 = row["mtime_ns"], let changed: Int64 = row["ctime_ns"]
        else { return nil }
        return FileIdentity(
            inode: UInt64(bitPattern: inode),
            size: size,
            modified: Timestamp(nanoseconds: modified),
            changed: Timestamp(nanoseconds: changed)
        )
    }

    /// What a file's name says; `nil` where it says nothing.
    static func frame(from row: Row) -> FrameID? {
        guard let run: String = row["run"], let name: String = row["well"], let well = Well(name),
            let view = FrameView((row["view"] as String?) ?? ""), let index: Int = row["frame"],
            FrameID.indices.contains(index)
        else { return nil }
        return FrameID(run: run, well: well, view: view, index: index)
    }

    private static func outcome(from row: Row) throws -> FrameRecord.Outcome {
        switch FrameRecord.State(rawValue: row["state"]) {
        case .judged: .judged(try judgement(from: row))
        case .quarantined: .quarantined(reason: row["reason"] ?? "")
        case .skipped: .skipped(reason: row["reason"] ?? "")
        case nil: throw senseless(row, "state")
        }
    }

    private static func judgement(from row: Row) throws -> Judgement {
        guard let verdict = (row["verdict"] as String?).flatMap(Verdict.init(rawValue:)) else {
            throw senseless(row, "verdict")
        }
        for column in ["width", "height", "box_x", "box_y", "box_width", "box_height"] {
            guard let length: Int = row[column] else { continue }
            if !(0...longestSide).contains(length) { throw senseless(row, column) }
        }
        // SQLite has no NaN: it keeps one as null.
        func figure(_ column: String) -> Double { row[column] ?? .nan }
        let cause = (row["cause"] as String?).flatMap(Cause.init(rawValue:)) ?? .unknown
        var judgement = Judgement(
            verdict: verdict,
            severity: figure("severity"),
            threshold: figure("threshold"),
            suspectLimit: row["suspect_limit"],
            terms: (row["terms"] as String?).map { TermsText.read($0) } ?? [],
            scores: ImageScores(
                maximum: figure("score_max"),
                mean: figure("score_mean"),
                patch: figure("score_patch")
            ),
            score: figure("score"),
            cause: ProbableCause(cause, confidence: row["confidence"] ?? 0),
            area: figure("area"),
            boundingBox: box(from: row),
            width: row["width"],
            height: row["height"],
            appearance: (row["appearance"] as Data?).map { [Float](packed: $0) } ?? []
        )
        judgement.tier = (row["tier"] as String?).flatMap(Tier.init(rawValue:)) ?? .full
        judgement.precision = row["precision"]
        judgement.maskPath = row["mask"]
        judgement.wellIsFaulty = row["well_faulty"]
        judgement.change = row["change"]
        judgement.arrival = row["arrival"]
        judgement.evidence = row["evidence"]
        return judgement
    }

    private static func box(from row: Row) -> PixelRectangle? {
        guard let x: Int = row["box_x"], let y: Int = row["box_y"], let width: Int = row["box_width"],
            let height: Int = row["box_height"]
        else { return nil }
        return PixelRectangle(x: x, y: y, width: width, height: height)
    }
}

/// The terms of a severity as one JSON object, in the order of the formula, for example `{"tile-nll-max":1.25,"level":-0.3}`.
///
/// Values have four significant digits. Written for every frame, so it is put together by hand.
enum TermsText {
    /// Longest text that is read, in bytes; the formula has about ten terms.
    private static let longest = 4096

    /// The text; `nil` where no term is known.
    ///
    /// A value that is not finite is left out.
    static func write(_ terms: [SeverityContribution]) -> String? {
        var text = ""
        for term in terms where term.value.isFinite {
            text += text.isEmpty ? "{\"" : ",\""
            text += term.term
            text += "\":"
            text += term.value.roundedToFourDigits.description
        }
        return text.isEmpty ? nil : text + "}"
    }

    /// The terms in a text; none where it is not what `write` writes.
    static func read(_ text: String) -> [SeverityContribution] {
        let bytes = text.utf8
        guard bytes.count <= longest, bytes.count > 2, bytes.first == UInt8(ascii: "{"),
            bytes.last == UInt8(ascii: "}")
        else { return [] }
        var terms: [SeverityContribution] = []
        for pair in bytes.dropFirst().dropLast()
            .split(separator: UInt8(ascii: ","), omittingEmptySubsequences: false)
        {
            let parts = pair.split(separator: UInt8(ascii: ":"), omittingEmptySubsequences: false)
            guard parts.count == 2, let name = name(parts[0]), let value = Double(Substring(parts[1])),
                value.isFinite
            else { return [] }
            terms.append(SeverityContribution(term: name, value: value))
        }
        return terms
    }

    private static func name(_ quoted: Substring.UTF8View) -> String? {
        let quote = UInt8(ascii: "\"")
        guard quoted.count > 2, quoted.first == quote, quoted.last == quote else { return nil }
        let name = quoted.dropFirst().dropLast()
        return name.allSatisfy { $0 > 0x20 && $0 != quote && $0 != UInt8(ascii: "\\") }
            ? String(Substring(name)) : nil
    }
}
