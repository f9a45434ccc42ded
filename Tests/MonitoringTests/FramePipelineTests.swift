import Foundation
import Frames
import Ledger
import Plate
import Reporting
import Synchronization
import Testing

@testable import Acquisition
@testable import Monitoring
@testable import Rules

struct FramePipelineTests {
    @Test func aBatchLeavesMasksAlarmsJournalAndRows() async throws {
        try await Bench.with { bench in
            let greys = ["10", "200", "210", "10", "220", "10", "10", "10"]
            let files = try greys.enumerated().map { try bench.file("01_B1_f\($0).tif", $1, frame: $0) }
            let pipeline = try bench.pipeline()
            for start in stride(from: 0, to: 8, by: 4) {
                #expect(try pipeline.process(Array(files[start..<start + 4]).queued) == nil)
            }
            #expect(try bench.events() == ["FAULT 1", "FAULT 2", "ONSET 2", "FAULT 4", "CLEAR 7"])
            #expect(
                try bench.masks()
                    == [1, 2, 4].flatMap { ["01_B1_f\($0).mask.geojson", "01_B1_f\($0).mask.tiff"] }
            )
            #expect(bench.journal.all.map { $0.fields["AUTOQC_EVENT"] } == ["ONSET", "CLEAR"])
            let fault = try #require(try bench.alarms().first)
            #expect(fault.judgement?.maskPath == "masks/01_B1_f1.mask.tiff")
            #expect(fault.latencyMilliseconds == 123)
            #expect(fault.model == "3f9ac2d41b7e")
            #expect(try bench.ledger().counts() == [.judged: 8])
            let counts = pipeline.environment.statistics.summary.counts
            #expect((counts.judged, counts.flagged) == (8, 3))
        }
    }

    @Test(arguments: [Int64.min, .min + 1, -8_000_000_000_000_000_000, 0, .max])
    func framesOfAnyTimeAreJudged(time: Int64) async throws {
        try await Bench.with { bench in
            let moment = Timestamp(nanoseconds: time)
            for now in [
                Timestamp(nanoseconds: .min), Timestamp(nanoseconds: 1), Timestamp(nanoseconds: .max),
            ] {
                let frame = Int.random(in: 1...1_000_000_000)
                let plain = try bench.file("01_B1_f\(frame).tif", "200", frame: frame)
                let identity = try #require(plain.source.identity)
                let file = FrameFile(
                    source: FrameSource(
                        root: plain.source.root,
                        path: plain.source.path,
                        identity: FileIdentity(
                            inode: identity.inode,
                            size: identity.size,
                            modified: moment
                        )
                    ),
                    frame: plain.frame,
                    completed: moment,
                    found: .listed
                )
                let pipeline = try bench.pipeline(now: now)
                let stalls = try bench.stalls(at: now)
                stalls.set(limit: .after(.seconds(60)))
                stalls.resume()
                stalls.saw(file)
                #expect(try pipeline.process([file].queued) == nil)
                #expect(pipeline.environment.statistics.summary.counts.judged == 1)
                var figures = DaemonFigures(started: now)
                pipeline.environment.statistics.show(in: &figures)
            }
            #expect(try bench.rows().count == 3)
            #expect(try bench.alarms().allSatisfy { ($0.latencyMilliseconds ?? -1) >= 0 })
        }
    }

    @Test func whatTheLedgerKnowsIsNotJudgedAgain() async throws {
        try await Bench.with { bench in
            let batch = [try bench.file("01_B1_f1.tif", "200", frame: 1)].queued
            _ = try bench.pipeline().process(batch)
            let judge = FakeJudge { _ in Issue.record("judged again") }
            _ = try bench.pipeline(settings: FramePipeline.Settings(judge: judge)).process(batch)
            #expect(try bench.events() == ["FAULT 1"])
        }
    }

    @Test func aRewrittenFrameIsJudgedAgainAndSaysSo() async throws {
        try await Bench.with { bench in
            let pipeline = try bench.pipeline()
            _ = try pipeline.process([bench.file("01_B1_f1.tif", "200", frame: 1)].queued)
            _ = try pipeline.process([bench.file("01_B1_f1.tif", "3000.0e-1", frame: 1)].queued)
            #expect(try bench.events() == ["FAULT 1", "FAULT 1"])
            #expect(try bench.alarms()[1].reason?.hasPrefix("judged again: the file changed at 20") == true)
            #expect(try bench.masks() == ["01_B1_f1.mask.geojson", "01_B1_f1.mask.tiff"])
            _ = try pipeline.process([bench.file("01_B1_f1.tif", "5", frame: 1)].queued)
            #expect(try bench.masks().isEmpty)
            #expect(try bench.scores().isEmpty)
            #expect(try bench.ledger().counts() == [.judged: 1])
        }
    }

    @Test func theScoreMapOfAFaultyFrameIsKept() async throws {
        try await Bench.with { bench in
            let frames = try [("01_B1_f1.tif", "200"), ("01_B1_f2.tif", "10")].enumerated().map {
                try bench.file($1.0, $1.1, frame: $0 + 1)
            }
            _ = try bench.pipeline().process(frames.queued)
            #expect(try bench.scores() == ["01_B1_f1.scores.tiff"])
            let map = try ScoreMapFile.read(path: "\(bench.tree.scores(run: "01"))/01_B1_f1.scores.tiff")
            #expect((map.height, map.width) == (4, 4))
            #expect(map.values.allSatisfy { abs($0 - 0.2) < 1e-5 })
        }
    }

    @Test func ofAFaultyWellEveryTenthScoreMapIsKept() async throws {
        try await Bench.with { bench in
            let files = try (1...22).map { try bench.file("01_B1_f\($0).tif", "\(200 + $0)", frame: $0) }
            _ = try bench.pipeline().process(files.queued)
            #expect(try bench.masks().filter { $0.hasSuffix(".tiff") }.count == 22)
            #expect(try bench.scores() == ["1", "10", "2", "20"].map { "01_B1_f\($0).scores.tiff" })
        }
    }

    @Test func sidecarsThatNobodyWantsAreNotWritten() async throws {
        try await Bench.with { bench in
            let file = try bench.file("01_B1_f1.tif", "200", frame: 1)
            var settings = FramePipeline.Settings(judge: FakeJudge(), masks: false, scores: false)
            _ = try bench.pipeline(settings: settings).process([file].queued)
            #expect(try bench.masks().isEmpty && bench.scores().isEmpty)
            settings.scores = true
            let other = try bench.file("01_B1_f2.tif", "200", frame: 2)
            _ = try bench.pipeline(settings: settings).process([other].queued)
            #expect(try bench.masks().isEmpty)
            #expect(try bench.scores() == ["01_B1_f2.scores.tiff"])
            #expect(try bench.alarms().allSatisfy { $0.judgement?.maskPath == nil })
        }
    }

    @Test func twoFilesOfOneFrameAreToldApart() async throws {
        try await Bench.with { bench in
            let files = try ["a", "b"].map { try bench.file("\($0)/01_B1_f1.tif", "200", frame: 1) }
            _ = try bench.pipeline().process(files.queued)
            let masks = Set(try bench.alarms().compactMap { $0.judgement?.maskPath })
            #expect(masks.count == 2)
            #expect(try bench.masks().filter { $0.hasSuffix(".tiff") }.count == 2)
            let reason = try bench.alarms()[1].reason
            #expect(reason?.contains(", b/01_B1_f1.tif; a/01_B1_f1.tif says the same frame") == true)
            #expect(try bench.ledger().counts() == [.judged: 2])
        }
    }

    @Test func aRenamedFolderIsNotJudgedAgain() async throws {
        try await Bench.with { bench in
            let pipeline = try bench.pipeline()
            _ = try pipeline.process([bench.file("a/01_B1_f1.tif", "200", frame: 1)].queued)
            try FileManager.default.moveItem(
                at: bench.input.appending(path: "a"),
                to: bench.input.appending(path: "b")
            )
            _ = try pipeline.process([bench.describe("b/01_B1_f1.tif", frame: 1)].queued)
            #expect(try bench.events() == ["FAULT 1"])
            #expect(try bench.ledger().counts() == [.judged: 1, .skipped: 1])
        }
    }

    @Test func aMovieIsASequenceOfFrames() async throws {
        try await Bench.with { bench in
            let judged = Recorder<Float>()
            let judge = FakeJudge { judged.add($0) }
            let movie = try bench.file("01_B1_f0.tif", "1", "2", "200", "bad", "5", "6", "7", frame: 0)
            let settings = FramePipeline.Settings(judge: judge, batchFrames: 3)
            try bench.pipeline(settings: settings).processToEnd([movie].queued)
            #expect(judged.all == [1, 2, 200, 5, 6, 7])
            #expect(try bench.events() == ["FAULT 2", "UNREADABLE 3"])
            #expect(try bench.masks().last == "01_B1_f0_p0002.mask.tiff")
            #expect(try bench.ledger().counts() == [.judged: 6, .quarantined: 1])
            #expect(try bench.ledger().settled([movie.source]) == [movie.source])
        }
    }

    @Test func aLongMovieGivesOtherWellsTheirTurn() async throws {
        try await Bench.with { bench in
            let judged = Recorder<Float>()
            let judge = FakeJudge { judged.add($0) }
            let pages = 400
            let greys = (0..<pages).map { "\(Float($0) / 10)" }
            let movie = try bench.file("01_A1_f0.tif", greys: greys, well: "A1")
            let others = try (0..<5).map { index in
                try bench.file("01_B1_f\(index).tif", "7\(index)", well: "B1", frame: index)
            }
            let queue = FrameQueue(WellQueue(batchFrames: 4, capacity: 10))
            for file in [movie] + others { #expect(await queue.offer(QueuedFrame(file: file))) }
            queue.close()
            try await bench.judge(queue, settings: FramePipeline.Settings(judge: judge))
            #expect(judged.all.filter { $0 < 70 } == (0..<pages).map { Float($0) / 10 })
            #expect(judged.all.filter { $0 >= 70 } == [70, 71, 72, 73, 74])
            let last = try #require(judged.all.lastIndex(of: 74))
            #expect(last < judged.all.count - 1, "the movie was judged to its end first")
            #expect(try bench.ledger().counts() == [.judged: pages + 5])
        }
    }

    @Test func aStopDoesNotWaitForTheEndOfAMovie() async throws {
        try await Bench.with { bench in
            let queue = FrameQueue(WellQueue(batchFrames: 4, capacity: 10))
            let judged = Recorder<Float>()
            let judge = FakeJudge { grey in
                judged.add(grey)
                if grey == 9 { _ = queue.abandon() }
            }
            let movie = try bench.file("01_B1_f0.tif", greys: (0..<50).map { "\($0)" })
            #expect(await queue.offer(QueuedFrame(file: movie)))
            try await bench.judge(queue, settings: FramePipeline.Settings(judge: judge, batchFrames: 64))
            #expect(judged.all == (0..<10).map(Float.init))
            #expect(try bench.ledger().counts() == [.judged: 10])
            #expect(try bench.ledger().pending().map(\.source.path) == [movie.source.path])
            // The rest is judged after the next start, and only that.
            let settings = FramePipeline.Settings(judge: FakeJudge { judged.add($0) })
            try bench.pipeline(settings: settings).processToEnd([movie].queued)
            #expect(judged.all == (0..<50).map(Float.init))
        }
    }

    @Test func filesOfTwoWellsMayHaveOneName() async throws {
        try await Bench.with { bench in
            let settings = FramePipeline.Settings(judge: FakeJudge(), namesByFrame: true)
            let pipeline = try bench.pipeline(settings: settings)
            for well in ["B1", "C2"] {
                let file = try bench.file("01/\(well)/7.tif", "200", well: well, frame: 7)
                let movie = try bench.file("01/\(well)/8.tif", "1", "200", well: well, frame: 8)
                _ = try pipeline.process([file, movie].queued)
            }
            #expect(
                try bench.masks().filter { $0.hasSuffix(".tiff") } == [
                    "B01_f7.mask.tiff", "B01_f9.mask.tiff", "C02_f7.mask.tiff", "C02_f9.mask.tiff",
                ]
            )
        }
    }

    @Test func anUnfinishedFileIsTriedAgainInItsPlace() async throws {
        try await Bench.with { bench in
            let cut = try bench.file("01_B1_f2.tif", "cut", frame: 2)
            let files = try [
                bench.file("01_B1_f1.tif", "10", frame: 1), cut, bench.file("01_B1_f3.tif", "10", frame: 3),
            ]
            let pipeline = try bench.pipeline(
                settings: FramePipeline.Settings(judge: FakeJudge(), readAttempts: 3)
            )
            let first = try #require(try pipeline.process(files.queued))
            #expect(first.frames.map(\.file) == Array(files[1...]))
            #expect(first.frames.map(\.attempts) == [1, 0])
            #expect(first.delay == .milliseconds(250))
            #expect(try bench.rows().map(\.frame?.index) == [1])
            let second = try #require(try pipeline.process(first.frames))
            #expect(second.delay == .milliseconds(500))
            #expect(try pipeline.process(second.frames) == nil)
            #expect(try bench.rows().map(\.state) == [.judged, .quarantined, .judged])
            #expect(try bench.events() == ["UNREADABLE 2"])
            let quarantine = try String(contentsOfFile: bench.tree.quarantineLog(run: "01"), encoding: .utf8)
            #expect(
                quarantine.contains(
                    "file=01_B1_f2.tif page=0 run=01 well=B01 frame=2 reason=\"page 0 is cut\""
                )
            )
            #expect(bench.journal.all.map { $0.fields["AUTOQC_EVENT"] } == ["UNREADABLE"])
        }
    }

    @Test func aJudgeThatFailsCostsOnlyTheFrameItFailsOn() async throws {
        try await Bench.with { bench in
            let files = try ["10", "999", "200"].enumerated().map {
                try bench.file("01_B1_f\($0).tif", $1, frame: $0)
            }
            _ = try bench.pipeline().process(files.queued)
            #expect(try bench.rows().map(\.state) == [.judged, .quarantined, .judged])
            #expect(try bench.events() == ["UNREADABLE 1", "FAULT 2"])
        }
    }

    @Test func figuresThatAreNoNumbersAreNoVerdict() async throws {
        try await Bench.with { bench in
            let files = try ["10", "-inf", "200"].enumerated().map {
                try bench.file("01_B1_f\($0).tif", $1, frame: $0)
            }
            _ = try bench.pipeline().process(files.queued)
            #expect(try bench.rows().map(\.state) == [.judged, .quarantined, .judged])
            #expect(try bench.alarms().first?.reason == "its grey values are too large to be judged")
        }
    }

    @Test func framesWaitForADiskThatIsFull() async throws {
        struct DiskFull: Error {}
        try await Bench.with { bench in
            let failures = Recorder<String>()
            let writeMask: Sidecars.MaskWriter = { mask, size, path in
                guard failures.all.count == 3 else {
                    failures.add(path)
                    throw DiskFull()
                }
                try Bench.writeMask(mask, size, path)
            }
            let judged = Recorder<Float>()
            let judge = FakeJudge { judged.add($0) }
            let pipeline = try bench.pipeline(
                settings: FramePipeline.Settings(judge: judge, hysteresis: .init(onset: 1, window: 1)),
                writeMask: writeMask,
                canWrite: { false }
            )
            _ = try pipeline.process([bench.file("01_B1_f1.tif", "200", frame: 1)].queued)
            #expect(bench.pauses.all == [.milliseconds(250), .milliseconds(500), .seconds(1)])
            #expect(judged.all == [200])
            #expect(try bench.events() == ["FAULT 1", "ONSET 1"])
            #expect(bench.journal.all.count == 1)
        }
    }

    @Test func whatCannotBeWrittenInTimeIsLeftForTheNextStart() async throws {
        struct DiskFull: Error {}
        try await Bench.with { bench in
            let batch = [try bench.file("01_B1_f1.tif", "200", frame: 1)].queued
            let stuck = try bench.pipeline(
                writeMask: { _, _, _ in throw DiskFull() },
                canWrite: { false },
                pause: { false }
            )
            #expect(throws: FramePipeline.Abandoned.self) { try stuck.process(batch) }
            #expect(try bench.rows().isEmpty)
            _ = try bench.pipeline().process(batch)
            #expect(try bench.events() == ["FAULT 1"])
        }
    }

    @Test func aFrameThatIsJudgedAgainCountsOnceForTheStateOfItsWell() async throws {
        try await Bench.with { bench in
            let pipeline = try bench.pipeline()
            func judge(_ index: Int, _ grey: String) throws {
                _ = try pipeline.process([bench.file("01_B1_f\(index).tif", grey, frame: index)].queued)
            }
            for index in 1...3 { try judge(index, "\(index)") }
            try judge(4, "200")
            // The same pixels, written again.
            try judge(4, "200")
            #expect(try bench.events() == ["FAULT 4"])
            // Other pixels, of the newest frame and of an old one.
            try judge(4, "201")
            try judge(1, "202")
            #expect(try bench.events() == ["FAULT 4", "FAULT 4", "FAULT 1"])
            try judge(5, "203")
            #expect(try bench.events().suffix(2) == ["FAULT 5", "ONSET 5"])
            // The newest frame was not faulty after all.
            try judge(5, "7")
            #expect(try bench.events().last == "CLEAR 5")
            #expect(try bench.alarms().last?.reason?.hasPrefix("judged again") == true)
            try judge(6, "204")
            #expect(try bench.events().suffix(2) == ["FAULT 6", "ONSET 6"])
            let rows = try bench.rows().sorted { ($0.frame?.index ?? 0) < ($1.frame?.index ?? 0) }
            #expect(rows.map { $0.judgement?.wellIsFaulty } == [false, false, false, false, false, true])
        }
    }

    @Test func anOnsetThatRestsOnAFrameThatIsGoneIsTakenBack() async throws {
        try await Bench.with { bench in
            let pipeline = try bench.pipeline()
            func judge(_ index: Int, _ text: String) throws {
                _ = try pipeline.process([bench.file("01_B1_f\(index).tif", text, frame: index)].queued)
            }
            try judge(1, "1")
            try judge(2, "200")
            try judge(3, "201")
            #expect(try bench.events() == ["FAULT 2", "FAULT 3", "ONSET 3"])
            // The file is written again, and cannot be read now.
            try judge(3, "bad")
            #expect(try bench.events().suffix(2) == ["UNREADABLE 3", "CLEAR 3"])
            try judge(4, "202")
            #expect(try bench.events().last == "ONSET 4")
        }
    }

    @Test func aFileWithAnotherNameIsTheSameFrameAndACopyIsNot() async throws {
        try await Bench.with { bench in
            let pipeline = try bench.pipeline()
            _ = try pipeline.process([bench.file("01_B1_f2.tif", "200", frame: 2)].queued)
            try FileManager.default.moveItem(
                at: bench.input.appending(path: "01_B1_f2.tif"),
                to: bench.input.appending(path: "01_B1_f02.tif")
            )
            _ = try pipeline.process([bench.describe("01_B1_f02.tif", frame: 2)].queued)
            #expect(try bench.events() == ["FAULT 2"])
            let reason = try #require(try bench.rows().last?.reason)
            #expect(reason.hasSuffix("was judged as 01_B1_f2.tif"))
            // Three files of the same frame: each has its line, and the well counts one.
            for name in ["01_B1_f3.tif", "01_B1_f03.tif", "01_B1_f003.tif"] {
                _ = try pipeline.process([bench.file(name, "201", frame: 3)].queued)
            }
            #expect(try bench.events() == ["FAULT 2", "FAULT 3", "ONSET 3", "FAULT 3", "FAULT 3"])
            #expect(try bench.masks().count == 8)
        }
    }

    @Test func aFileThatCannotBeSeenIsHandedBackAndNotQuarantined() async throws {
        try await Bench.with { bench in
            var pipeline = try bench.pipeline()
            let handedBack = Mutex<[FrameFile]>([])
            pipeline.environment.lookAgain = { file in handedBack.withLock { $0.append(file) } }
            let file = try bench.file("01_B1_f1.tif", "1", frame: 1)
            try FileManager.default.removeItem(at: bench.input.appending(path: "01_B1_f1.tif"))
            #expect(try pipeline.process([file].queued) == nil)
            #expect(handedBack.withLock { $0 } == [file])
            #expect(try bench.rows().isEmpty)
        }
    }

    /// What is made to lie in the way of a frame's sidecars or logs.
    @Test(arguments: ["masks", "alarms", "scores", "masks/01_B1_f1.mask.tiff", "alarms/B01.log"])
    func aFrameThatCannotBeWrittenWaitsAloneAndOthersGoOn(obstacle: String) async throws {
        try await Bench.with { bench in
            let path = URL(filePath: bench.tree.folder(run: "01")).appending(path: obstacle)
            let isPlainFile = !obstacle.contains("/")
            try FileManager.default.createDirectory(
                at: isPlainFile ? path.deletingLastPathComponent() : path.appending(path: "within"),
                withIntermediateDirectories: true
            )
            if isPlainFile { try Data("in the way".utf8).write(to: path) }
            let pipeline = try bench.pipeline()
            let files = try ["10", "200", "10"].enumerated().map {
                try bench.file("01_B1_f\($0).tif", $1, frame: $0)
            }
            let retry = try #require(try pipeline.process(files.queued))
            #expect(retry.frames.map(\.file) == Array(files[1...]), "its well keeps its order")
            #expect(retry.delay > .zero && retry.frames.map(\.attempts) == [0, 0])
            let pending = try bench.ledger().pending()
            #expect(pending.map(\.source.path) == [files[1].source.path])
            #expect(pending.first?.reason.contains(obstacle) == true)
            #expect(bench.pauses.all.isEmpty, "the thread goes on")
            let other = try bench.file("02_C1_f1.tif", "200", run: "02", well: "C1", frame: 1)
            #expect(try pipeline.process([other].queued) == nil)

            let again = try #require(try pipeline.process(retry.frames))
            #expect(again.delay > retry.delay)
            try FileManager.default.removeItem(at: path)
            #expect(try pipeline.process(again.frames) == nil)
            #expect(try bench.events() == ["FAULT 1"])
            #expect(try bench.masks().contains("01_B1_f1.mask.tiff"))
            #expect(try bench.ledger().counts() == [.judged: 4])
            #expect(try bench.ledger().pending().isEmpty)
        }
    }

    @Test func theEndDoesNotWaitForAFrameThatCannotBeWritten() async throws {
        try await Bench.with { bench in
            let folder = bench.tree.folder(run: "01")
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
            try Data("in the way".utf8).write(to: URL(filePath: bench.tree.masks(run: "01")))
            let queue = FrameQueue(WellQueue(batchFrames: 4, capacity: 10))
            for index in 0..<3 {
                let file = try bench.file("01_B1_f\(index).tif", index == 1 ? "200" : "10", frame: index)
                #expect(await queue.offer(QueuedFrame(file: file)))
            }
            queue.close()
            try await bench.judge(queue, settings: FramePipeline.Settings(judge: FakeJudge()))
            #expect(try bench.rows().map(\.frame?.index) == [0])
            #expect(
                queue.standing.troubles.first?.contains("01_B1_f1.tif waits: Cannot make the folder") == true
            )
            #expect(try bench.ledger().pending().map(\.frame.index) == [1])
        }
    }

    @Test func whatIsLeftAtTheEndIsNamedUntilItIsJudged() async throws {
        try await Bench.with { bench in
            let files = try (0..<3).map { try bench.file("01_B1_f\($0).tif", "10", frame: $0) }
            let pipeline = try bench.pipeline()
            pipeline.leave(files.queued, because: "the daemon was stopped before its turn")
            #expect(try bench.ledger().pending().map(\.frame.index) == [0, 1, 2])
            _ = try bench.pipeline().process(files[..<2].map(\.self).queued)
            #expect(try bench.ledger().pending().map(\.source.path) == ["01_B1_f2.tif"])
        }
    }

    @Test func theLedgerKnowsWhatTheAlarmLogsSay() async throws {
        try await Bench.with { bench in
            let greys = ["200", "bad", "210", "10", "10", "10"]
            let files = try greys.enumerated().map { try bench.file("01_B1_f\($0).tif", $1, frame: $0) }
            for _ in 0..<2 { _ = try bench.pipeline().process(files.queued) }
            let kept = try bench.ledger().alarms(run: "01").map { "\($0.event.rawValue) \($0.frame.index)" }
            #expect(kept == ["FAULT 0", "UNREADABLE 1", "FAULT 2", "ONSET 2", "CLEAR 5"])
            #expect(try bench.events() == kept)
        }
    }

    @Test func aClockThatJumpsBackChangesNoVerdict() async throws {
        try await Bench.with { bench in
            let files = try ["10", "200", "200", "10", "10", "10"].enumerated().map {
                try bench.file("01_B1_f\($0).tif", $1, frame: $0)
            }
            _ = try bench.pipeline(settings: FramePipeline.Settings(judge: FakeJudge(), batchFrames: 1))
                .process(Array(files[..<2]).queued)
            let yesterday = Timestamp(nanoseconds: 1_795_341_601_123_000_000 - 86_400_000_000_000)
            _ = try bench.pipeline(now: yesterday).process(Array(files[2...]).queued)
            #expect(try bench.events() == ["FAULT 1", "FAULT 2", "ONSET 2", "CLEAR 5"])
            #expect(try bench.alarms().allSatisfy { ($0.latencyMilliseconds ?? -1) >= 0 })
            #expect(try bench.rows().map(\.frame?.index) == Array(0..<6))
        }
    }

    @Test func aConfiguredThresholdOverrulesTheModels() async throws {
        try await Bench.with { bench in
            let files = try ["90", "200"].enumerated().map {
                try bench.file("01_B1_f\($0).tif", $1, frame: $0)
            }
            let settings = FramePipeline.Settings(judge: FakeJudge(), threshold: 1.5, masks: false)
            _ = try bench.pipeline(settings: settings).process(files.queued)
            #expect(try bench.alarms().first?.judgement?.threshold == 1.5)
            #expect(try bench.events() == ["FAULT 0", "FAULT 1", "ONSET 1"])
            #expect(try bench.masks().isEmpty)
        }
    }

    @Test func aRunIsJudgedByWhatItTaughtUnderItsOwnName() async throws {
        try await Bench.with { bench in
            let judge = TaughtJudge()
            let pipeline = try bench.pipeline(settings: FramePipeline.Settings(judge: judge))
            _ = try pipeline.process([bench.file("01_B1_f0.tif", "200", frame: 0)].queued)
            judge.hasLearnt.withLock { $0 = true }
            for frame in 1...2 {
                _ = try pipeline.process([bench.file("01_B1_f\(frame).tif", "200", frame: frame)].queued)
            }
            #expect(try bench.rows().map(\.model) == ["3f9ac2d41b7e", "aaaaaaaaaaaa", "aaaaaaaaaaaa"])
            let models = try bench.alarms().map(\.model)
            #expect(models == ["3f9ac2d41b7e", "aaaaaaaaaaaa", "aaaaaaaaaaaa", "aaaaaaaaaaaa"])
        }
    }

    @Test func wellsAreJudgedAtOnceAndShareTheirLogs() async throws {
        try await Bench.with { bench in
            let pipeline = try bench.pipeline()
            let wells = ["A1", "B1", "C1", "D1"]
            let batches = try (0..<5).map { round in
                try wells.map { well in
                    try (0..<4).map { index in
                        let frame = round * 4 + index
                        let grey = index == 3 ? "bad" : "200"
                        return try bench.file("01_\(well)_f\(frame).tif", grey, well: well, frame: frame)
                    }.queued
                }
            }
            for round in batches {
                try await withThrowingTaskGroup(of: Void.self) { group in
                    for batch in round { group.addTask { _ = try pipeline.process(batch) } }
                    try await group.waitForAll()
                }
            }
            let expected = try bench.events(well: "A1")
            #expect(expected.count { $0.hasPrefix("FAULT") } == 15)
            for well in wells { #expect(try bench.events(well: well) == expected) }
            let quarantine = try String(contentsOfFile: bench.tree.quarantineLog(run: "01"), encoding: .utf8)
            #expect(quarantine.split(separator: "\n").count == 20)
            #expect(try bench.ledger().counts() == [.judged: 60, .quarantined: 20])
        }
    }

    @Test func aStalledWellIsSaidOnce() async throws {
        try await Bench.with { bench in
            let frame = FrameID(run: "01", well: try #require(Well("B1")), index: 7)
            try bench.pipeline().report(
                StallWatch.Stall(last: frame, limit: .seconds(60), isWholeRun: false),
                silence: .seconds(90)
            )
            #expect(try bench.events() == ["STALLED 7"])
            #expect(try bench.alarms().first?.reason == "no frame of this well for 90 s")
            #expect(bench.journal.all.map { $0.fields["AUTOQC_EVENT"] } == ["STALLED"])
        }
    }
}
