import Foundation
import Ledger
import Logging
import Plate
import Reporting
import Rules
import Synchronization
import Testing

@testable import Acquisition
@testable import Monitoring

/// Fields, channels and planes of one well, and files that say the same frame.
struct ViewTests {
    private func file(_ bench: Bench, _ name: String, _ grey: String, _ view: FrameView, frame: Int) throws
        -> FrameFile
    {
        let file = try bench.file(name, grey, frame: frame)
        return FrameFile(
            source: file.source,
            frame: FrameID(run: "01", well: file.frame.well, view: view, index: frame),
            completed: file.completed,
            found: file.found
        )
    }

    @Test func eachViewOfAWellHasItsOwnStateLinesAndMasks() async throws {
        try await Bench.with { bench in
            let views = [FrameView(field: 1, channel: "BF"), FrameView(field: 1, channel: "UV - DAPI")]
            var files: [FrameFile] = []
            for frame in 1...3 {
                // The second channel is faulty throughout, the first never: mixed, no well could be told from a flicker.
                for (view, grey) in zip(views, ["10", "\(200 + frame)"]) {
                    files.append(
                        try file(bench, "\(view.channel ?? "")/01_B1_f\(frame).tif", grey, view, frame: frame)
                    )
                }
            }
            _ = try bench.pipeline(settings: byFrame).process(files.queued)
            let alarms = try bench.alarms()
            #expect(try bench.events() == ["FAULT 1", "FAULT 2", "ONSET 2", "FAULT 3"])
            #expect(alarms.allSatisfy { $0.frame.view == views[1] })
            #expect(try bench.masks().filter { $0.hasSuffix(".tiff") }.count == 3)
            let ledger = try bench.ledger()
            let well = try #require(Well("B1"))
            #expect(try ledger.history(of: well, view: views[0], run: "01", count: 9).isFaulty == false)
            #expect(try ledger.history(of: well, view: views[1], run: "01", count: 9).isFaulty == true)
            #expect(try ledger.standings(of: "01").mapValues(\.isFaultyNow) == [well: true])
            #expect(try ledger.views(of: well, run: "01") == views)
            let summary = try #require(ledger.wells(of: "01").first)
            #expect(summary.judged == 6 && summary.flagged == 3 && summary.standings.isFaultyNow)
            let fields = bench.journal.all.map(\.fields)
            #expect(fields.first?["AUTOQC_CHANNEL"] == "UV - DAPI" && fields.first?["AUTOQC_FIELD"] == "1")
            #expect(bench.journal.all.first?.message.contains("field 1, channel UV - DAPI") == true)
        }
    }

    private var byFrame: FramePipeline.Settings {
        FramePipeline.Settings(judge: FakeJudge(), namesByFrame: true)
    }

    @Test func aTransitionIsToldForEachView() async throws {
        try await Bench.with { bench in
            let views = [FrameView(field: 1), FrameView(field: 2)]
            for view in views {
                let files = try (1...2).map {
                    try file(bench, "s\(view.field ?? 0)/01_B1_f\($0).tif", "\(200 + $0)", view, frame: $0)
                }
                _ = try bench.pipeline(settings: byFrame).process(files.queued)
            }
            let onsets = try bench.alarms().filter { $0.event == .onset }
            #expect(onsets.map(\.frame.view) == views)
        }
    }

    @Test func threeFilesOfOneFrameHaveThreeLinesMasksAndRows() async throws {
        try await Bench.with { bench in
            let files = try (1...3).map {
                try bench.file("TimePoint_\($0)/01_B1_f1.tif", "\(200 + $0)", frame: 1)
            }
            _ = try bench.pipeline().process(files.queued)
            _ = try bench.pipeline().process(files.queued)
            let faults = try bench.alarms().filter { $0.event == .fault }
            #expect(faults.count == 3)
            #expect(Set(faults.compactMap { $0.judgement?.maskPath }).count == 3)
            #expect(try bench.masks().filter { $0.hasSuffix(".tiff") }.count == 3)
            #expect(try bench.ledger().counts() == [.judged: 3])
            #expect(Set(try bench.rows().map(\.source.key)).count == 3)
        }
    }

    @Test func threeUnreadableFilesOfOneFrameHaveThreeLines() async throws {
        try await Bench.with { bench in
            let files = try (1...3).map { try bench.file("\($0)/01_B1_f1.tif", "bad", frame: 1) }
            _ = try bench.pipeline().process(files.queued)
            #expect(try bench.events() == ["UNREADABLE 1", "UNREADABLE 1", "UNREADABLE 1"])
            #expect(try bench.ledger().counts() == [.quarantined: 3])
        }
    }

    @Test func noMaskTakesTheNameOfAnother() async throws {
        try await Bench.with { bench in
            // The second page of a movie is called as a file of another frame is.
            let movie = try bench.file("01_B1_f1.tif", "201", "202", frame: 1)
            let other = try bench.file("01_B1_f1_p0001.tif", "203", frame: 7)
            _ = try bench.pipeline().process([movie].queued)
            _ = try bench.pipeline().process([other].queued)
            let paths = try bench.rows().compactMap { $0.judgement?.maskPath }
            #expect(paths.count == 3 && Set(paths).count == 3)
            #expect(try bench.masks().filter { $0.hasSuffix(".tiff") }.count == 3)
        }
    }

    @Test func twoSpellingsOfAnAccentWaitAsTwoFiles() async throws {
        try await Bench.with { bench in
            let files = try ["\u{E9}_B1_f1.tif", "e\u{301}_B1_f1.tif"].map {
                try bench.file($0, "10", frame: 1)
            }
            var queue = WellQueue(batchFrames: 4, capacity: 9)
            for file in files.queued { queue.add(file) }
            #expect(queue.count == 2)
            _ = try bench.pipeline().process(files.queued)
            #expect(try bench.ledger().counts() == [.judged: 2])
            #expect(try bench.ledger().settled(files.map(\.source)).count == 2)
        }
    }
}

/// Names that look like frames and are not taken.
struct MisfitReportTests {
    @Test func theFirstIsToldAtOnceAndTheOthersAsACount() {
        let log = MessageLog()
        let report = MisfitReport()
        for index in 1...40 { report.add("/in/x\(index).tif", "does not fit", to: log.logger) }
        #expect(log.all == ["1 /in/x1.tif"])
        report.tell(to: log.logger)
        #expect(log.all == ["1 /in/x1.tif", "39 /in/x40.tif"])
        report.add("/in/y.tif", "does not fit", to: log.logger)
        #expect(log.all.count == 2, "within the minute it is counted")
        report.tell(to: log.logger)
        #expect(log.all.last == "1 /in/y.tif")
        report.tell(to: log.logger)
        #expect(log.all.count == 3)
        report.add("/in/z.tif", "does not fit", to: log.logger)
        #expect(log.all.last == "1 /in/z.tif", "after a quiet minute the next one is told at once")
    }
}

/// Keeps count and file of what is logged.
private final class MessageLog: Sendable {
    private let lines = Mutex<[String]>([])

    var all: [String] { lines.withLock { $0 } }
    var logger: Logger { Logger(label: "test") { _ in Handler(log: self) } }

    private struct Handler: LogHandler {
        let log: MessageLog
        var metadata: Logger.Metadata = [:]
        var logLevel = Logger.Level.trace

        subscript(metadataKey key: String) -> Logger.Metadata.Value? {
            get { metadata[key] }
            set { metadata[key] = newValue }
        }

        func log(event: LogEvent) {
            guard let count = event.metadata?["count"], let file = event.metadata?["file"] else { return }
            log.lines.withLock { $0.append("\(count) \(file)") }
        }
    }
}
