import Foundation
import GRDB
import Plate

/// The ledger that rows are changed in; made once, and put back after each run.
private let ledger: FrameLedger? = {
    let folder = FileManager.default.temporaryDirectory.appending(path: "autoqc-fuzz-\(getpid())")
    try? FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    return try? FrameLedger(path: folder.appending(path: "ledger.sqlite").path)
}()

/// Takes numbers and texts from the input, and nothing where it is over.
private struct Supply {
    private var rest: ArraySlice<UInt8>

    init(_ bytes: [UInt8]) { rest = bytes[...] }

    mutating func byte() -> UInt8 { rest.popFirst() ?? 0 }

    /// Often one of the numbers at which something ends.
    mutating func number() -> Int64 {
        let ends: [Int64] = [0, 1, -1, .max, .min, .max - 1, 1 << 31, 1 << 30, 1_000_000_000_000_000_000, 2]
        let kind = Int(byte())
        if kind < ends.count * 8 { return ends[kind / 8] }
        return Int64(bitPattern: (0..<8).reduce(UInt64(0)) { bits, _ in bits << 8 | UInt64(byte()) })
    }

    mutating func value() -> DatabaseValue {
        switch byte() % 8 {
        case 0: .null
        case 1: Double(bitPattern: UInt64(bitPattern: number())).databaseValue
        case 2: String(decoding: (0..<Int(byte()) % 24).map { _ in byte() }, as: UTF8.self).databaseValue
        case 3: Data((0..<Int(byte())).map { _ in byte() }).databaseValue
        case 4:
            ["B1", "01", "normal", "faulty", "scored", "skipped", "s1", ""][Int(byte()) % 8].databaseValue
        default: number().databaseValue
        }
    }
}

private let columns: [(table: String, columns: [String])] = [
    (
        "frames",
        [
            "path", "page", "pages", "digest", "device", "inode", "size", "mtime_ns", "run", "well", "view",
            "frame",
            "state", "reason", "score_max", "severity", "threshold", "suspect_limit", "terms", "verdict",
            "width",
            "height", "area", "box_x", "box_y", "box_width", "box_height", "cause", "confidence", "mask",
            "well_faulty", "tier", "precision", "change", "evidence", "appearance", "model", "completed_ns",
            "judged_ns", "sequence",
        ]
    ),
    ("series", ["well", "view", "judged", "flagged", "quarantined", "first_ns", "last_sequence"]),
    ("alarms", ["time_ns", "event", "run", "well", "view", "frame", "reason", "pattern"]),
    ("sessions", ["started_ns", "ended_ns", "model"]),
    ("pending", ["path", "device", "inode", "size", "mtime_ns", "run", "well", "view", "frame", "since_ns"]),
]

/// One run of the fuzzer: the bytes change some values of the ledger's rows, which are then read in every way there is.
///
/// Compiled by `run.sh` into one module with the ledger's sources, so that the fuzzer sees their branches.
@_cdecl("LLVMFuzzerTestOneInput")
package func fuzzOne(_ start: UnsafePointer<UInt8>, _ count: Int) -> CInt {
    guard let ledger, let well = Well("B1") else { fatalError("no ledger can be made") }
    var supply = Supply(unsafe Array(UnsafeBufferPointer(start: start, count: count)))
    fill(ledger, well)
    try? ledger.pool.writeWithoutTransaction { database in
        for _ in 0..<Int(supply.byte()) % 8 {
            let (table, names) = columns[Int(supply.byte()) % columns.count]
            let name = names[Int(supply.byte()) % names.count]
            // What the table does not take is no row.
            try? database.execute(
                sql: "UPDATE \(table) SET \(name) = ? WHERE rowid % 2 = ?",
                arguments: [supply.value(), Int(supply.byte()) % 2]
            )
        }
    }
    ask(ledger, well)
    return 0
}

private func fill(_ ledger: FrameLedger, _ well: Well) {
    try? ledger.pool.writeWithoutTransaction { database in
        for table in columns.map(\.table) { try? database.execute(sql: "DELETE FROM \(table)") }
    }
    let identity = FileIdentity(device: 1, inode: 2, size: 3, modified: Timestamp(nanoseconds: 4))
    let records = (0..<4).map { index in
        FrameRecord(
            source: FrameSource(root: "/in", path: "\(index)", identity: identity),
            frame: FrameID(run: "01", well: well, index: index),
            outcome: .quarantined(reason: "x"),
            model: "m",
            judged: Timestamp(nanoseconds: 5)
        )
    }
    let alarm = Alarm(
        time: Timestamp(nanoseconds: 1),
        event: .fault,
        frame: FrameID(run: "01", well: well, index: 1),
        model: "m"
    )
    try? ledger.record(records, alarms: [alarm])
    try? ledger.pool.write {
        try $0.execute(
            sql: "UPDATE frames SET state = 'scored', verdict = 'normal', well_faulty = 0 WHERE path < '3'"
        )
    }
    let frame = FrameID(run: "01", well: well, index: 9)
    let source = FrameSource(root: "/in", path: "w", identity: identity)
    try? ledger.leave([
        PendingFrame(source: source, frame: frame, reason: "", since: Timestamp(nanoseconds: 1))
    ])
    try? ledger.begin(
        DaemonSession(
            started: Timestamp(nanoseconds: 1),
            model: "m",
            precision: "f32",
            pattern: "p",
            folders: ["/in"]
        )
    )
}

private func ask(_ ledger: FrameLedger, _ well: Well) {
    let identity = FileIdentity(device: 1, inode: 2, size: 3, modified: Timestamp(nanoseconds: 4))
    let source = FrameSource(root: "/in", path: "0", identity: identity)
    var records: [FrameRecord] = []
    try? ledger.forEach { records.append($0) }
    records += (try? ledger.records(of: well, run: "01", FrameLedger.Selection())) ?? []
    for record in records {
        precondition(record.pages > 0 && record.source.page >= 0, "a page that cannot be")
        precondition(
            record.frame.map { FrameID.indices.contains($0.index) } ?? true,
            "an index that cannot be"
        )
        _ = record.judgement?.explanation()
        _ = record.judged - (record.completed ?? record.judged)
    }
    _ = try? ledger.settled([source])
    try? ledger.forEachSettled { _, _ in }
    _ = try? ledger.knownPages(of: source)
    _ = try? ledger.counts()
    _ = try? ledger.recentNormalFrames(model: "m")
    _ = try? ledger.normalFiles(atMost: 10)
    try? ledger.forEachPoint(of: well, run: "01") { _ in }
    try? ledger.forEachSeverity(of: "01") { _, _, _ in }
    _ = try? ledger.runs()
    _ = try? ledger.runs(writtenSince: Timestamp(nanoseconds: .min))
    _ = try? ledger.standings(of: "01")
    _ = try? ledger.wells(of: "01")
    _ = try? ledger.history(of: well, run: "01", count: 10)
    _ = try? ledger.appearances(of: well, run: "01", model: "m", count: 10)
    _ = try? ledger.alarms(run: "01")
    _ = try? ledger.plateAlarms(run: "01")
    _ = try? ledger.sessions()
    _ = try? ledger.pending()
}
