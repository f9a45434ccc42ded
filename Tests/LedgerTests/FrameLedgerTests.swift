import Foundation
import GRDB
import Ledger
import Plate
import TestSupport
import Testing

struct FrameLedgerTests {
    @Test func everyFieldComesBack() async throws {
        try await withLedger { ledger in
            let records = try [
                Sample.judged("sub/01_B1_f100.tif", frame: 100, verdict: .faulty),
                Sample.judged("sub/01_B1_f101.tif", frame: 101, verdict: .normal, page: 3, pages: 9),
                FrameRecord(
                    source: FrameSource(root: "/in", path: "cut.tif", identity: Sample.identity()),
                    frame: nil,
                    outcome: .quarantined(reason: "It ends \"early\"\n; DROP TABLE frames"),
                    model: nil,
                    completed: nil,
                    judged: Timestamp(nanoseconds: 5)
                ),
                FrameRecord(
                    source: FrameSource(root: "/other", path: "notes.txt"),
                    frame: nil,
                    outcome: .skipped(reason: "not a frame's name"),
                    model: nil,
                    completed: nil,
                    judged: Timestamp(nanoseconds: 6)
                ),
            ]
            try ledger.record(records)
            for record in records {
                #expect(try ledger.record(at: record.source.place) == record)
            }
            var all: [FrameRecord] = []
            try ledger.forEach { all.append($0) }
            #expect(all == records)
            #expect(try ledger.counts() == [.judged: 2, .quarantined: 1, .skipped: 1])
            #expect(try ledger.counts(run: "01") == [.judged: 2])
            #expect(try ledger.record(at: FrameSource(root: "/in", path: "none.tif").place) == nil)
        }
    }

    @Test func framesToCopyAreTheLatestNormalOnesOfAModel() async throws {
        try await withLedger { ledger in
            #expect(try ledger.recentNormalFrames(model: "3f9ac2d41b7e").isEmpty)
            try ledger.record([
                Sample.judged("old.tif", frame: 0), Sample.judged("a.tif", frame: 1, well: "C2"),
                Sample.judged("movie.tif", frame: 9, page: 3, pages: 9),
                Sample.judged("faulty.tif", frame: 2, verdict: .faulty),
                Sample.judged("late.tif", frame: 4, isLate: true),
            ])
            let found = try ledger.recentNormalFrames(model: "3f9ac2d41b7e", within: 4)
            #expect(found.map(\.source.path) == ["movie.tif", "a.tif"])
            #expect(found.map(\.source.page) == [3, 0])
            #expect(found.map(\.frame.description) == ["01_B01_f9", "01_C02_f1"])
            #expect(try ledger.recentNormalFrames(model: "another").isEmpty)
        }
    }

    @Test func aRowWithoutItsFiguresDoesNotHideTheOthers() async throws {
        try await withTemporaryFolder { folder in
            let path = folder.appending(path: "ledger.sqlite").path
            let ledger = try FrameLedger(path: path)
            try ledger.record([Sample.judged("a.tif", frame: 1), Sample.judged("b.tif", frame: 2)])
            try DatabaseQueue(path: path).write {
                try $0.execute(sql: "UPDATE frames SET severity = NULL WHERE path = 'a.tif'")
            }
            var severities: [Double] = []
            try ledger.forEach { record in
                if let judgement = record.judgement { severities.append(judgement.severity) }
            }
            #expect(severities.count == 2)
            #expect(severities[0].isNaN && severities[1] == 4.5)
        }
    }

    @Test(arguments: [
        "", "{}", "{", "[]", "{\"a\"}", "{\"a\":}", "{\"a\":x}", "{\"a\":nan}", "{\"a\":1e999}", "{\"a\":1,}",
        "{\"a\":1,\"b\"}", "{a:1}", "{\"\":1}", "{\"a\"b\":1}", "{\"a\\\\\":1}", "{\"a\":{\"b\":1}}",
        "{\"ä\u{0}\":1}",
        "{\"a\":1}}", "{\"" + String(repeating: "a", count: 5000) + "\":1}",
    ])
    func damagedTermsAreNone(text: String) async throws {
        try await withTemporaryFolder { folder in
            let path = folder.appending(path: "ledger.sqlite").path
            let ledger = try FrameLedger(path: path)
            let record = try Sample.judged("a.tif", frame: 1)
            try ledger.record([record])
            #expect(try ledger.record(at: record.source.place)?.judgement?.terms.count == 2)
            try DatabaseQueue(path: path).write {
                try $0.execute(sql: "UPDATE frames SET terms = ?", arguments: [text])
            }
            let judgement = try #require(try ledger.record(at: record.source.place)?.judgement)
            #expect(judgement.terms.isEmpty && judgement.severity == 4.5)
        }
    }

    @Test func termsAreJSONOfFourDigitsInTheOrderOfTheFormula() async throws {
        try await withTemporaryFolder { folder in
            let path = folder.appending(path: "ledger.sqlite").path
            let ledger = try FrameLedger(path: path)
            let values = [1.0 / 3, -12345.678, 0, 0.000123456, .infinity, 2e-300, 98765432.1, 5e15, -0.5]
            let terms = values.enumerated().map { SeverityContribution(term: "t\($0)", value: $1) }
            try ledger.record([Sample.judged("a.tif", frame: 1, terms: terms)])
            let text = try DatabaseQueue(path: path).read {
                try String.fetchOne($0, sql: "SELECT terms FROM frames")
            }
            let kept = [0.3333, -12350, 0, 0.0001235, 0, 98770000, 5e15, -0.5]
            let names = [0, 1, 2, 3, 5, 6, 7, 8].map { "t\($0)" }
            var records: [FrameRecord] = []
            try ledger.forEach { records.append($0) }
            #expect(records.first?.judgement?.terms.map(\.value) == kept)
            #expect(records.first?.judgement?.terms.map(\.term) == names)
            let object = try JSONSerialization.jsonObject(with: Data(try #require(text).utf8))
            #expect(object as? [String: Double] == Dictionary(uniqueKeysWithValues: zip(names, kept)))
            #expect(text?.hasPrefix("{\"t0\":0.3333,\"t1\":-12350.0,\"t2\":0.0,\"t3\":0.0001235,") == true)
        }
    }

    @Test func aRewrittenFileIsNotSettled() async throws {
        try await withLedger { ledger in
            try ledger.record([Sample.judged("a.tif", frame: 1)])
            let same = FrameSource(root: "/in", path: "a.tif", identity: Sample.identity())
            let rewritten = FrameSource(root: "/in", path: "a.tif", identity: Sample.identity(size: 11))
            let elsewhere = FrameSource(root: "/other", path: "a.tif", identity: Sample.identity())
            #expect(try ledger.settled([same, rewritten, elsewhere]) == [same])
        }
    }

    @Test func aMovieIsSettledWithItsLastPage() async throws {
        try await withLedger { ledger in
            let file = FrameSource(root: "/in", path: "movie.tif", identity: Sample.identity())
            for page in [2, 0] {
                try ledger.record([Sample.judged("movie.tif", frame: page, page: page, pages: 3)])
            }
            #expect(try ledger.settled([file]).isEmpty)
            #expect(try ledger.knownPages(of: file).filter(\.isCurrent).map(\.page).sorted() == [0, 2])
            try ledger.record([Sample.judged("movie.tif", frame: 1, page: 1, pages: 3)])
            #expect(try ledger.settled([file]) == [file])
        }
    }

    @Test func pagesOfAFileThatGrewKeepTheirOutcomes() async throws {
        try await withLedger { ledger in
            try ledger.record([
                Sample.judged("movie.tif", frame: 1, page: 0, digest: PageDigest(pixels: .max, stored: 1)),
                Sample.judged("movie.tif", frame: 2, page: 1, digest: PageDigest(pixels: 7, stored: .max)),
            ])
            let grown = FrameSource(root: "/in", path: "movie.tif", identity: Sample.identity(size: 11))
            let known = try ledger.knownPages(of: grown).sorted { $0.page < $1.page }
            #expect(known.map(\.digest?.pixels) == [.max, 7] && !known.contains { $0.isCurrent })
            try ledger.keep([0, 1], of: grown, frames: 3)
            #expect(try ledger.knownPages(of: grown).allSatisfy(\.isCurrent))
            #expect(try ledger.settled([grown]).isEmpty)
            try ledger.record([Sample.judged("movie.tif", frame: 3, page: 2, pages: 3, size: 11)])
            #expect(try ledger.settled([grown]) == [grown])
            // In the order in which they were judged first.
            var frames: [Int?] = []
            try ledger.forEach { frames.append($0.frame?.index) }
            #expect(frames == [1, 2, 3])
        }
    }

    @Test func settledFilesAreHandedOverWithTheirFrames() async throws {
        try await withLedger { ledger in
            try ledger.record([
                Sample.judged("b.tif", frame: 7, size: 1), Sample.judged("a.tif", frame: 3, size: 2),
                Sample.judged("cut.tif", frame: 20, page: 0, pages: 2, size: 3),
                Sample.judged("movie.tif", frame: 31, page: 1, pages: 2, size: 4),
                Sample.judged("movie.tif", frame: 30, page: 0, pages: 2, size: 4),
            ])
            var files: [String] = []
            try ledger.forEachSettled { files.append("\($1) \($0.identity?.size ?? 0)") }
            #expect(files == ["01_B01_f7 1", "01_B01_f3 2", "01_B01_f30 4"])
        }
    }

    @Test func aFrameRecordedAgainReplacesItsRowAndKeepsItsTurn() async throws {
        try await withLedger { ledger in
            try ledger.record([
                Sample.judged("a.tif", frame: 1, verdict: .normal),
                Sample.judged("b.tif", frame: 2, verdict: .normal),
            ])
            try ledger.record([Sample.judged("a.tif", frame: 1, verdict: .faulty, size: 99)])
            #expect(try ledger.counts() == [.judged: 2])
            let history = try ledger.history(of: Sample.well(), run: "01", count: 3)
            #expect(history.frames.map(\.verdict) == [.faulty, .normal])
            var order: [String] = []
            try ledger.forEach { order.append($0.source.path) }
            #expect(order == ["b.tif", "a.tif"])
        }
    }

    @Test func theNewestFramesCanBeLeftOutOfAHistory() async throws {
        try await withLedger { ledger in
            for (index, verdict) in [Verdict.normal, .faulty, .normal, .faulty].enumerated() {
                try ledger.record([Sample.judged("\(index).tif", frame: index, verdict: verdict)])
            }
            let well = try Sample.well()
            let turns = try (0..<4).map { index in
                try #require(
                    ledger.turns(of: FrameID(run: "01", well: well, index: index)).values.first
                )
            }
            let without = { (indices: [Int]) in
                try ledger.history(of: well, run: "01", count: 9, without: Set(indices.map { turns[$0] }))
            }
            let last = try without([3])
            #expect(last.frames.map(\.index) == [0, 1, 2] && !last.isFaulty && last.wasFaulty)
            #expect(last.end == turns[3] && last.newest?.index == 2)
            // One in the middle keeps its place.
            let middle = try without([1])
            #expect(middle.frames.count == 4 && middle.end == nil && middle.isFaulty)
            #expect(try without([3, 2]).end == turns[2])
            let all = try without([0, 1, 2, 3])
            #expect(all.frames.isEmpty && !all.isFaulty && all.wasFaulty)
        }
    }

    @Test func historyIsOfOneWellOfOneRun() async throws {
        try await withLedger { ledger in
            let verdicts: [Verdict] = [.normal, .faulty, .faulty, .normal, .faulty]
            for (index, verdict) in verdicts.enumerated() {
                try ledger.record([
                    Sample.judged("b\(index).tif", frame: index, verdict: verdict),
                    Sample.judged("c\(index).tif", frame: index, verdict: .normal, well: "C3"),
                ])
            }
            let history = try ledger.history(of: Sample.well(), run: "01", count: 3)
            #expect(history.frames.map(\.verdict) == [.faulty, .normal, .faulty])
            #expect(try ledger.history(of: Sample.well(), run: "02", count: 3).frames.isEmpty)
            #expect(try ledger.history(of: Sample.well("C3"), run: "01", count: 9).isFaulty == false)
        }
    }

    @Test func appearancesAreThoseOfNormalFramesInTurnByOneModel() async throws {
        try await withLedger { ledger in
            try ledger.record([
                Sample.judged("a.tif", frame: 1), Sample.judged("b.tif", frame: 2, verdict: .faulty),
                Sample.judged("c.tif", frame: 3), Sample.judged("d.tif", frame: 4, isLate: true),
                Sample.judged("e.tif", frame: 5),
            ])
            let model = "3f9ac2d41b7e"
            func looks(_ count: Int, by model: String) throws -> [FrameLedger.PastLook] {
                try ledger.appearances(of: Sample.well(), run: "01", model: model, count: count)
            }
            let all = try looks(9, by: model)
            #expect(all.map(\.appearance) == [[-1, 2.5], [-1, 2.5], [-1, 2.5]])
            #expect(all.map(\.change) == [0.75, 0.75, 0.75])
            #expect(all.map(\.evidence) == [1.5, 1.5, 1.5])
            #expect(all.allSatisfy { $0.terms.map(\.value) == [-0.25, 4.125] })
            #expect(try looks(2, by: model).count == 2 && looks(9, by: "another").isEmpty)
        }
    }

    @Test func framesJudgedAfterNewerOnesAreNoHistory() async throws {
        try await withLedger { ledger in
            let late = try Sample.judged("a.tif", frame: 1, verdict: .faulty, tier: .deferred, isLate: true)
            try ledger.record([Sample.judged("b.tif", frame: 2), late])
            let history = try ledger.history(of: Sample.well(), run: "01", count: 3)
            #expect(history.frames.map(\.verdict) == [.normal])
            #expect(history.frames.map(\.evidence) == [1.5])
            #expect(!history.isFaulty)
            #expect(history.newest?.index == 2)
            #expect(try ledger.record(at: late.source.place) == late)
        }
    }

    @Test func twoFilesCanNameTheSameFrame() async throws {
        try await withLedger { ledger in
            let first = try Sample.judged("a/01_B1_f1.tif", frame: 1)
            let second = try Sample.judged("b/01_B1_f1.tif", frame: 1)
            try ledger.record([first, second])
            #expect(
                try ledger.records(of: FrameID(run: "01", well: Sample.well(), index: 1)) == [first, second]
            )
        }
    }

    @Test func outcomesSurviveClosingAndAreLookedUpFast() async throws {
        try await withTemporaryFolder { folder in
            let path = folder.appending(path: "ledger.sqlite").path
            var files: [FrameSource] = []
            do {
                let ledger = try FrameLedger(path: path)
                let records = try (0..<20_000).map { try Sample.judged("f\($0).tif", frame: $0) }
                try ledger.record(records)
                files = records.map(\.source)
                try ledger.close()
            }
            let ledger = try FrameLedger(path: path)
            var settled = 0
            let time = try ContinuousClock().measure { settled = try ledger.settled(files).count }
            #expect(settled == 20_000)
            // A generous bound for a debug build beside other builds: a full scan per file would take hours.
            #expect(time < .seconds(20))
        }
    }

    @Test func refusesWhatIsNoLedger() async throws {
        try await withTemporaryFolder { folder in
            let path = folder.appending(path: "ledger.sqlite").path
            try Data(repeating: 0x41, count: 8192).write(to: URL(filePath: path))
            let error = #expect(throws: LedgerError.self) { try FrameLedger(path: path) }
            #expect(error?.code == .damaged)
            #expect(error?.description.contains(path) == true)
            let missing = #expect(throws: LedgerError.self) { try FrameLedger(path: "\(path)/no/such") }
            #expect(missing?.isRetriable == true)
        }
    }
}
