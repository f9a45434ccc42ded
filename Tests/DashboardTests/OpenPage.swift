import Foundation
import Frames
import Ledger
import Logging
import Plate
import Reporting
import ServiceLifecycle
import TestSupport
import Testing

@testable import Dashboard

/// An output folder with some judged frames, and its page, open on a free port.
struct OpenPage: Sendable {
    let folder: URL
    let tree: OutputTree
    let ledger: FrameLedger
    let visitor: Visitor

    static let run = "01"
    /// Grey values from 0 to 252, from left to right.
    static let ramp = (0..<64 * 40).map { Float($0 % 64 * 4) }

    /// Opens a page, hands it over, and closes it.
    static func with(
        token: String? = nil,
        mayDecide: Bool = true,
        reviewer: String = "",
        daemon: @escaping @Sendable () -> StatusFile.Standing? = { nil },
        _ body: @escaping @Sendable (OpenPage) async throws -> Void
    ) async throws {
        try await withTemporaryFolder { folder in
            let tree = OutputTree(root: folder.appending(path: "out").path)
            try tree.prepare()
            let ledger = try FrameLedger(path: tree.ledger)
            let (ports, port) = AsyncStream<Int>.makeStream()
            var logger = Logger(label: "test")
            logger.logLevel = .critical
            let service = DashboardService(
                settings: try WebSettings(listen: "127.0.0.1:0", token: token),
                tree: tree,
                mayDecide: mayDecide,
                reviewer: reviewer,
                logger: logger,
                daemon: daemon,
                listening: { port.yield($0) }
            )
            let group = ServiceGroup(
                configuration: ServiceGroupConfiguration(services: [service], logger: logger)
            )
            try await withThrowingTaskGroup(of: Void.self) { tasks in
                tasks.addTask { try await group.run() }
                let number = try #require(await ports.first { _ in true })
                let page = OpenPage(
                    folder: folder,
                    tree: tree,
                    ledger: ledger,
                    visitor: Visitor(port: number)
                )
                try await body(page)
                await group.triggerGracefulShutdown()
                try await tasks.waitForAll()
            }
        }
    }

    /// What reviewers decided.
    func decisions() throws -> [Decision] { try DecisionLog(tree).decisions() }

    /// A reviewer's decision on a frame, or on a whole well.
    func decide(_ name: String, frame: Int?, _ kind: Decision.Kind, by reviewer: String) throws {
        try DecisionLog(tree).add(
            Decision(
                run: Self.run,
                well: try #require(Well(name)),
                frame: frame,
                kind: kind,
                note: "",
                reviewer: reviewer,
                decided: Timestamp(nanoseconds: 1_795_341_700_000_000_000)
            )
        )
    }

    /// Writes a frame and, for a faulty one, its mask, as the daemon leaves them.
    func add(
        _ name: String,
        frame: Int,
        verdict: Verdict = .normal,
        wellIsFaulty: Bool? = false,
        severity: Double = 1,
        run: String = OpenPage.run,
        view: FrameView = .only,
        in place: String = "",
        pixels: [Float] = OpenPage.ramp
    ) throws {
        let well = try #require(Well(name))
        let file = "\(place)\(SafeName.of(run))_\(name)\(view)_f\(frame).tiff"
        try writeFrame(file, pixels)
        let isFaulty = verdict == .faulty
        var judgement = Judgement(
            verdict: verdict,
            severity: severity,
            threshold: 8,
            terms: [
                SeverityContribution(term: "level", value: 0.5),
                SeverityContribution(term: "tiles_top", value: severity - 0.5),
            ],
            scores: ImageScores(maximum: 1, mean: 0.1, patch: 0.5),
            score: 0.5,
            cause: isFaulty ? ProbableCause(.airBubble, confidence: 0.75) : .unknown,
            area: isFaulty ? 0.04 : 0,
            boundingBox: isFaulty ? PixelRectangle(x: 10, y: 5, width: 10, height: 10) : nil,
            width: 64,
            height: 40
        )
        judgement.maskPath = isFaulty ? try writeMask(of: file, run: run) : nil
        judgement.wellIsFaulty = wellIsFaulty
        try ledger.record([
            FrameRecord(
                source: FrameSource(root: input.path, path: file),
                digest: PageDigest(
                    pixels: try TIFFReader(path: input.appending(path: file).path).frame(page: 0).digest,
                    stored: 0
                ),
                frame: FrameID(run: run, well: well, view: view, index: frame),
                outcome: .judged(judgement),
                model: "3f9ac2d41b7e",
                completed: Timestamp(nanoseconds: 1_795_341_601_000_000_000),
                judged: Timestamp(nanoseconds: 1_795_341_601_200_000_000)
            )
        ])
    }

    private var input: URL { folder.appending(path: "in") }

    private func writeFrame(_ file: String, _ pixels: [Float]) throws {
        let folder = input.appending(path: file).deletingLastPathComponent()
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        let frame = Frame(height: 40, width: 64, pixels: pixels)
        try TIFFWriter.write(frame, to: input.appending(path: file).path)
    }

    /// Writes the mask of a frame, and returns its path as the ledger has it.
    private func writeMask(of file: String, run: String) throws -> String {
        let name = Sidecars.name(file: file, page: 0)
        let values = (0..<64 * 40).map {
            UInt8((10..<20).contains($0 % 64) && (5..<15).contains($0 / 64) ? 1 : 0)
        }
        try Sidecars(tree: tree, writeMask: Sidecars.writeTIFF).write(
            Mask(height: 40, width: 64, values: values),
            pixelSize: nil,
            run: run,
            name: name,
            regionsOf: RegionVerdict(.unknown, severity: 9, score: 0.1)
        )
        return Sidecars.maskPath(name: name)
    }

    /// An alarm with its event, as the daemon records them.
    func announce(
        _ event: Alarm.Event,
        _ name: String,
        frame: Int,
        severity: Double? = nil,
        pattern: String? = nil,
        reason: String? = nil
    ) throws {
        let judgement = severity.map {
            Judgement(
                verdict: .faulty,
                severity: $0,
                threshold: 8,
                scores: nil,
                score: 0.5,
                cause: ProbableCause(.airBubble, confidence: 0.75),
                area: 0.04,
                boundingBox: nil
            )
        }
        let alarm = Alarm(
            time: Timestamp(nanoseconds: 1_795_341_660_000_000_000),
            event: event,
            frame: FrameID(run: Self.run, well: try #require(Well(name)), index: frame),
            model: "3f9ac2d41b7e",
            judgement: judgement,
            pattern: pattern,
            reason: reason
        )
        try ledger.record([], alarms: [alarm], events: [Event(alarm)].compactMap(\.self))
    }

    /// A well that gets no more frames.
    func addStall(_ name: String, frame: Int) throws {
        try announce(.stalled, name, frame: frame, reason: "no frame of this well for 60 s")
    }

    /// A frame that could not be read.
    func addUnreadable(_ name: String, frame: Int) throws {
        let well = try #require(Well(name))
        try ledger.record([
            FrameRecord(
                source: FrameSource(root: folder.path, path: "\(name)_\(frame).tiff"),
                frame: FrameID(run: Self.run, well: well, index: frame),
                outcome: .quarantined(reason: "the file is cut"),
                model: nil,
                completed: nil,
                judged: Timestamp(nanoseconds: 1_795_341_602_000_000_000)
            )
        ])
    }
}
