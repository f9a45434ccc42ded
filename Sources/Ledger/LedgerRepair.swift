import Foundation
import GRDB
package import Plate

/// A new ledger from what can be read of a damaged one.
///
/// It works on copies, so it needs room for two more ledgers, and no daemon may run. The damaged file and its log are kept under
/// another name. What is not saved has no outcome any more, so the next start judges it again.
package struct LedgerRepair: Sendable {
    /// What was wrong.
    package let problem: String
    /// Where the damaged ledger is now.
    package let kept: String
    /// Rows that the new ledger has, by table.
    package let saved: [String: Int]

    /// Tables whose rows have a number, in the order of their dependence; `series` follows from `frames`.
    private static let numbered = ["roots", "sessions", "frames", "alarms", "events"]
    private static let keyed = ["models", "session_roots", "advice", "pending"]
    /// Rows that are copied at once, at first.
    private static let stride: Int64 = 4096
    /// Attempts at parts of a table that cannot be read, at most.
    private static let patience = 200_000

    /// What is wrong with a ledger, in SQLite's words; `nil` for a sound one, or none at all.
    ///
    /// Looks at every page: some seconds for a GiB.
    package static func problem(of path: String) -> String? {
        guard FileManager.default.fileExists(atPath: path) else { return nil }
        do {
            var configuration = Configuration()
            configuration.readonly = true
            configuration.busyMode = .timeout(10)
            let queue = try DatabaseQueue(path: path, configuration: configuration)
            let found = try queue.read { try String.fetchAll($0, sql: "PRAGMA quick_check(3)") }
            // A heading names the database, and some lines hold several faults.
            let faults = found.flatMap { $0.split(separator: "\n") }.filter { !$0.hasPrefix("***") }
            return found == ["ok"] ? nil : faults.prefix(3).joined(separator: "; ")
        } catch let error as DatabaseError where LedgerError(error, path: path).code == .damaged {
            return error.message ?? "\(error.resultCode)"
        } catch {
            // It could not be looked at, which is no damage.
            return nil
        }
    }

    /// Repairs the ledger at a path; `nil` for a sound one, which stays as it is.
    ///
    /// The caller holds the output's lock.
    package static func repair(_ path: String, at time: Timestamp) throws(LedgerError) -> LedgerRepair? {
        do {
            return try Repair(path, time).carryOut()
        } catch {
            throw error as? LedgerError ?? LedgerError(error, path: path)
        }
    }

    private struct Repair {
        let path: String
        let time: Timestamp
        private let manager = FileManager.default
        /// All that is made begins with the ledger's name, which no run has.
        private var both: String { path + ".copy-with-log" }
        private var alone: String { path + ".copy" }
        private var new: String { path + ".repaired" }

        init(_ path: String, _ time: Timestamp) { (self.path, self.time) = (path, time) }

        func carryOut() throws -> LedgerRepair? {
            defer { for file in [both, alone, new] { removeWithLog(file) } }
            for file in [both, alone, new] { removeWithLog(file) }
            let hasLog = manager.fileExists(atPath: path + "-wal")
            try manager.copyItem(atPath: path, toPath: both)
            if hasLog { try manager.copyItem(atPath: path + "-wal", toPath: both + "-wal") }
            guard let problem = LedgerRepair.problem(of: both) else { return nil }
            if hasLog { try manager.copyItem(atPath: path, toPath: alone) }
            for copy in [both, alone] { fillUp(copy) }
            let sources = hasLog ? [both, alone] : [both]
            let saved: [String: Int]
            if hasLog, LedgerRepair.problem(of: alone) == nil {
                try manager.moveItem(atPath: alone, toPath: new)
                saved = try counts(of: FrameLedger(path: new))
            } else {
                saved = try salvage(sources)
            }
            let kept = try exchange()
            return LedgerRepair(problem: problem, kept: kept, saved: saved)
        }

        /// Gives a copy that was cut off its length back: SQLite reads nothing of a shorter one.
        private func fillUp(_ copy: String) {
            guard let handle = FileHandle(forUpdatingAtPath: copy),
                let head = try? handle.read(upToCount: 32),
                head.count == 32, let size = try? handle.seekToEnd()
            else { return }
            // Both with the highest byte first; 1 stands for 65536.
            let pageSize = UInt64(head[16]) << 8 | UInt64(head[17])
            let pages = head[28..<32].reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
            let length = pages * (pageSize == 1 ? 65_536 : pageSize)
            guard length > size, length <= size * Self.longest else { return }
            try? handle.truncate(atOffset: length)
        }

        /// How much longer than what is left a file may have been.
        private static let longest: UInt64 = 100

        /// Gives the ledger's name to the new one.
        private func exchange() throws -> String {
            let kept = "\(path).damaged-\(time.nanoseconds / 1_000_000_000)"
            try manager.moveItem(atPath: path, toPath: kept)
            if manager.fileExists(atPath: path + "-wal") {
                try manager.moveItem(atPath: path + "-wal", toPath: kept + "-wal")
            }
            try? manager.removeItem(atPath: path + "-shm")
            try manager.moveItem(atPath: new, toPath: path)
            return kept
        }

        private func removeWithLog(_ file: String) {
            for ending in ["", "-wal", "-shm"] { try? manager.removeItem(atPath: file + ending) }
        }

        private func counts(of ledger: FrameLedger) throws -> [String: Int] {
            let counts = try ledger.read { database in
                try Dictionary(
                    uniqueKeysWithValues: (LedgerRepair.numbered + LedgerRepair.keyed).map { table in
                        (table, try Int.fetchOne(database, sql: "SELECT count(*) FROM \(table)") ?? 0)
                    }
                )
            }
            try ledger.close()
            return counts
        }

        private func salvage(_ sources: [String]) throws -> [String: Int] {
            let ledger = try FrameLedger(path: new)
            try ledger.pool.writeWithoutTransaction { try $0.execute(sql: "PRAGMA synchronous = OFF") }
            for source in sources {
                try? ledger.pool.writeWithoutTransaction { database in
                    try database.execute(sql: "ATTACH DATABASE ? AS damaged", arguments: [source])
                    defer { try? database.execute(sql: "DETACH DATABASE damaged") }
                    for table in LedgerRepair.numbered { copy(table, in: database) }
                    for table in LedgerRepair.keyed { copyKeyed(table, in: database) }
                }
            }
            // Closing the ledger brings its log to the file, and this one the file to the disk.
            try ledger.pool.writeWithoutTransaction { try $0.execute(sql: "PRAGMA synchronous = FULL") }
            return try counts(of: ledger)
        }

        /// Copies the rows that can be read, whole ranges where that is possible.
        private func copy(_ table: String, in database: Database) {
            var attempts = 0
            var ranges = self.ranges(of: table, in: database)
            while let range = ranges.popLast(), attempts < LedgerRepair.patience {
                do {
                    try copy(table, range, in: database)
                } catch {
                    attempts += 1
                    guard range.count > 1 else { continue }
                    let middle = range.lowerBound + (range.upperBound - range.lowerBound) / 2
                    ranges += [middle + 1...range.upperBound, range.lowerBound...middle]
                }
            }
        }

        /// The numbers that rows can have, the first ones last.
        private func ranges(of table: String, in database: Database) -> [ClosedRange<Int64>] {
            let largest = try? Int64.fetchOne(database, sql: "SELECT max(id) FROM damaged.\(table)")
            let size = (try? manager.attributesOfItem(atPath: path))?[.size] as? NSNumber
            // Where the end cannot be found: no row takes fewer bytes.
            let end = max(1, min(largest ?? .max, (size?.int64Value ?? 0) / 64))
            return Swift.stride(from: Int64(1), through: end, by: Int64.Stride(LedgerRepair.stride)).map {
                $0...min($0 + LedgerRepair.stride - 1, end)
            }.reversed()
        }

        private func copy(_ table: String, _ range: ClosedRange<Int64>, in database: Database) throws {
            let columns = try columns(of: table, in: database)
            try database.inTransaction {
                try database.execute(
                    sql: """
                        INSERT OR IGNORE INTO main.\(table) (\(columns))
                        SELECT \(columns) FROM damaged.\(table) WHERE id BETWEEN ? AND ?
                        """,
                    arguments: [range.lowerBound, range.upperBound]
                )
                return .commit
            }
        }

        /// Row by row, up to the first that cannot be read.
        private func copyKeyed(_ table: String, in database: Database) {
            guard let columns = try? columns(of: table, in: database),
                let rows = try? Row.fetchCursor(database, sql: "SELECT \(columns) FROM damaged.\(table)")
            else { return }
            var found: [[DatabaseValue]] = []
            while let row = try? rows.next() { found.append(Array(row.databaseValues)) }
            for values in found {
                let marks = values.map { _ in "?" }.joined(separator: ", ")
                try? database.execute(
                    sql: "INSERT OR IGNORE INTO main.\(table) (\(columns)) VALUES (\(marks))",
                    arguments: StatementArguments(values)
                )
            }
        }

        private func columns(of table: String, in database: Database) throws -> String {
            try database.columns(in: table).map(\.name).joined(separator: ", ")
        }
    }
}
