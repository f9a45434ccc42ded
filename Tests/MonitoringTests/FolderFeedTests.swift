import Acquisition
import Foundation
import Frames
import Ledger
import Logging
import Plate
import Reporting
import Testing

@testable import Monitoring

/// Real folders, real TIFF files, a real ledger; only the judge and the service manager are doubles.
@Suite(.timeLimit(.minutes(20)))
struct FolderFeedTests {
    private func monitor(
        _ bench: Bench,
        _ manager: FakeServiceManager,
        judged: @escaping @Sendable () -> Void = {}
    ) throws -> Monitor {
        var settings = ConfigurationSettings()
        settings.model = "/model"
        settings.output = bench.tree.root
        settings.watch = [bench.input.path]
        let configuration = try Configuration(settings)
        var logger = Logger(label: "test")
        logger.logLevel = .critical
        return Monitor(configuration: configuration, judge: FakeJudge(), logger: logger, reload: nil) {
            configuration in
            Monitor.Parts(
                feed: { FolderFeed(configuration, ledger: $0) },
                reader: TIFFFrameReader(limits: configuration.limits),
                writeMask: Sidecars.writeTIFF,
                journal: JournalReporter { _ in true },
                notifier: manager,
                reloadRequests: AsyncStream { _ in },
                stopRequests: AsyncStream { $0.finish() },
                now: { .now },
                reached: { step in if step == .recorded { judged() } }
            )
        }
    }

    private func write(_ grey: Float, to url: URL) throws {
        try FileManager.default.createDirectory(
            at: url.deletingLastPathComponent(),
            withIntermediateDirectories: true
        )
        let frame = Frame(height: 20, width: 30, pixels: [Float](repeating: grey, count: 600))
        try TIFFWriter.write(frame, to: url.path, pixelSize: PixelSize(x: 0.5, y: 0.5))
    }

    @Test func framesOnDiskBecomeMasksAlarmsAndRows() async throws {
        try await Bench.with { bench in
            for index in 0..<6 {
                try write(index < 3 ? 10 : 200, to: bench.input.appending(path: "01_B1_f\(index).tif"))
            }
            try Data("not a TIFF, and never will be".utf8).write(to: bench.input.appending(path: "notes.txt"))
            let manager = FakeServiceManager()
            let batches = AsyncStream<Void>.makeStream()
            let monitor = try monitor(bench, manager) { batches.continuation.yield() }
            async let summary = monitor.run()
            for await told in manager.messages where told == "READY" { break }
            // A temporary name and a new folder, while it runs.
            let temporary = bench.input.appending(path: "new/01_C3_f1.part")
            try write(200, to: temporary)
            try FileManager.default.moveItem(
                at: temporary,
                to: bench.input.appending(path: "new/01_C3_f1.tif")
            )
            let ledger = try bench.ledger()
            for await _ in batches.stream where try ledger.counts()[.judged] == 7 { break }
            await monitor.stop()
            #expect(try await summary.counts.flagged == 4)
            #expect(try bench.events() == ["FAULT 3", "FAULT 4", "ONSET 4", "FAULT 5"])
            #expect(try bench.events(well: "C3") == ["FAULT 1"])
            let mask = try TIFFReader(path: "\(bench.tree.masks(run: "01"))/01_C3_f1.mask.tiff")
            #expect(mask.pixelSize == PixelSize(x: 0.5, y: 0.5))
            #expect(try mask.frame(page: 0).pixels.prefix(4) == [255, 255, 255, 0])
            let row = try #require(
                try ledgerRow(bench, FrameSource(root: bench.input.path, path: "01_B1_f5.tif"))
            )
            #expect(row.frame?.description == "01_B01_f5")
        }
    }

    private func ledgerRow(_ bench: Bench, _ source: FrameSource) throws -> FrameRecord? {
        var found: FrameRecord?
        try bench.ledger().forEach { if $0.source.place == source.place { found = $0 } }
        return found
    }

    @Test func onceJudgesWhatLiesThere() async throws {
        try await Bench.with { bench in
            for index in 0..<9 { try write(10, to: bench.input.appending(path: "run/01_A1_f\(index).tif")) }
            for expected in [(9, 0), (0, 9)] {
                let summary = try await monitor(bench, FakeServiceManager()).run(until: .listedAndDrained)
                #expect((summary.counts.judged, summary.counts.known) == expected)
            }
        }
    }

    /// A stack whose last directory never comes: what is there is judged, the rest is one line.
    @Test func whatNeverComesIsToldOnce() async throws {
        try await Bench.with { bench in
            let url = bench.input.appending(path: "01_B1_f1.tif")
            let writer = try TIFFWriter(path: url.path, height: 4, width: 4, pages: 5)
            for grey in [10, 200, 30, 40, 50] {
                try writer.append(
                    Frame(height: 4, width: 4, pixels: .init(repeating: Float(grey), count: 16))
                )
            }
            let whole = try Data(contentsOf: url)
            try whole.dropLast(20).write(to: url)
            guard case .growing(4, let reason) = FolderFeed.wholeness(url.path, limits: .default) else {
                Issue.record("a cut stack was taken for a whole one")
                return
            }
            var growing = try bench.describe("01_B1_f1.tif", frame: 1)
            growing.isGrowing = true
            var settings = FramePipeline.Settings(judge: FakeJudge())
            settings.readAttempts = 1
            let pipeline = try bench.pipeline(settings: settings, reader: TIFFFrameReader(limits: .default))
            #expect(try pipeline.process([QueuedFrame(file: growing)]) == nil)
            #expect(try bench.rows().map { $0.frame?.index } == [1, 2, 3, 4])
            #expect(try bench.ledger().settled([growing.source]).isEmpty)
            // Told again and again, it is not judged again.
            #expect(try pipeline.process([QueuedFrame(file: growing)]) == nil)
            #expect(try bench.events() == ["FAULT 2"])
            #expect(try pipeline.process([QueuedFrame(file: growing, givenUp: reason)]) == nil)
            #expect(try bench.rows().map(\.state) == [.judged, .judged, .judged, .judged, .quarantined])
            #expect(try bench.events() == ["FAULT 2", "UNREADABLE 5"])
            #expect(try bench.ledger().settled([growing.source]) == [growing.source])
            // It comes after all.
            try whole.write(to: url)
            let file = try bench.describe("01_B1_f1.tif", frame: 1)
            #expect(try pipeline.process([QueuedFrame(file: file)]) == nil)
            #expect(try bench.rows().map(\.state) == [.judged, .judged, .judged, .judged, .judged])
            #expect(try bench.events() == ["FAULT 2", "UNREADABLE 5"])
        }
    }

    @Test func anUnfinishedFileIsNotWhole() async throws {
        try await Bench.with { bench in
            let url = bench.input.appending(path: "a.tif")
            try write(10, to: url)
            #expect(FolderFeed.wholeness(url.path, limits: .default) == .whole)
            let data = try Data(contentsOf: url)
            try data.prefix(data.count - 20).write(to: url)
            guard case .incomplete = FolderFeed.wholeness(url.path, limits: .default) else {
                Issue.record("a cut file was taken for a whole one")
                return
            }
        }
    }
}
