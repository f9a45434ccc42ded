import Foundation
import Networks
import Plate
import Randomness
import Synchronization
import Tensors
import TestSupport
import Testing

@testable import Detection
@testable import Diffusion
@testable import Verdict

/// A run that is judged by its own calibration, and runs that must not be.
struct RunDetectorTests {
    private static let (height, width) = (224, 256)
    private static let framesPerWell = 6

    /// A background with grain and soft round cells, as many as there are.
    private static func frame(_ seed: Int, cells: Int = 20) -> Frame {
        var random = TestGenerator(seed: UInt64(seed))
        var pixels = random.floats(height * width, in: 98...102)
        for _ in 0..<cells {
            let place = random.floats(2, in: 0.08...0.92)
            let (row, column) = (Int(place[0] * Float(height)), Int(place[1] * Float(width)))
            for y in -9...9 {
                for x in -9...9 {
                    pixels[(row + y) * width + column + x] -= 25 * exp(-Float(y * y + x * x) / 30)
                }
            }
        }
        return Frame(height: height, width: width, pixels: pixels)
    }

    /// The same with a black bubble.
    private static func bubble(_ seed: Int, cells: Int = 20) -> Frame {
        var frame = frame(seed, cells: cells)
        for row in 60..<140 {
            for column in 80..<160
            where (row - 100) * (row - 100) + (column - 120) * (column - 120) < 1600 {
                frame[row, column] = 5
            }
        }
        return frame
    }

    /// A network with random weights, calibrated on 40 frames of few cells.
    private static let model: Model? = {
        guard
            let architecture = RealtimeUNet.Architecture(
                channels: [4, 4, 8],
                blocks: [1, 0, 1],
                embedding: 4
            ),
            let phases = PatchPhases(patch: 16, count: 2),
            let normalisation = Normalisation(background: 100, reach: 50),
            let diffusion = PatchedDiffusion(timestep: 20, noise: .simplex, noiseSeed: 5, phases: phases)
        else { return nil }
        var random = SplitMix64(state: 1)
        let network = RealtimeUNet(architecture, using: &random)
        let provenance = ModelDescription.Provenance(
            command: "",
            steps: 1,
            seed: 1,
            frames: 1,
            validationLoss: nil
        )
        let settings = RealtimeSettings(
            architecture: architecture,
            normalisation: normalisation,
            diffusion: diffusion
        )
        let weights = network.parameters.map { ($0.name, $0.variable.value) }
        var model = Model(
            description: ModelDescription(realtime: settings, residual: .l1DSSIM, training: provenance),
            weights: Dictionary(uniqueKeysWithValues: weights)
        )
        guard let scorer = try? FrameScorer(model: model, path: "test") else { return nil }
        let figures = (0..<40).map { frame($0) }.compactMap { frame in
            TileFigures(frame: frame, map: scorer.map(of: frame), background: 100)
        }
        var calibration = Calibration(
            scoreKind: .patch,
            maskWindow: 4,
            image: Calibration.imageLimits(
                normalScores: [0.1, 0.2, 0.3],
                onsets: [0.1, 0.2, 0.2],
                falseAlarmRate: 0.01,
                maskRate: 0.3
            )
        )
        var fit = CalibrationFit()
        fit.falseAlarmRate = 0.01
        let found = fit.fitted(to: figures.enumerated().map { .init($1, fold: $0 % 5) })
        calibration.tiles = Calibration.Tiles(
            normal: found.tiles,
            limits: Limits(
                severity: found.severity,
                threshold: Threshold(found.threshold),
                normal: found.distances.map(\.severity),
                mask: calibration.image.mask
            )
        )
        model.description.calibration = calibration
        return model
    }()

    /// A detector that calibrates at once instead of in the background.
    private final class Stage {
        let detector: RunDetector
        let reports = Reports()

        init(in folder: URL, model: Model, name: String = "shipped", inject: @escaping RunDetector.Inject)
            throws
        {
            let (root, reports) = (folder.path, reports)
            var surroundings = RunDetector.Surroundings { "\(root)/\($0)/learned.safetensors" }
            surroundings.inject = inject
            surroundings.inBackground = { $0() }
            surroundings.report = { reports.add($0) }
            detector = try RunDetector(
                model: model,
                name: name,
                path: "test",
                precision: .float32,
                framesPerWell: RunDetectorTests.framesPerWell,
                surroundings: surroundings
            )
        }

        /// Plays so many rounds over eight wells, and says which frames were flagged and by which model.
        func play(
            _ rounds: Range<Int>,
            run: String = "01",
            wells: Int = 8,
            _ frame: (_ well: Int, _ round: Int) -> Frame
        ) -> [(well: Int, round: Int, isFaulty: Bool, model: String)] {
            rounds.flatMap { round in
                (0..<wells).compactMap { well in
                    guard let place = Well(row: 0, column: well + 1) else { return nil }
                    let judge = detector.detector(for: place, of: run)
                    let judgement = judge.judge(frame(well, round), threshold: nil)
                    return (well, round, judgement.verdict == .faulty, judge.detector.modelName)
                }
            }
        }
    }

    /// What was reported, in order.
    private final class Reports: Sendable {
        private let values = Mutex<[RunCalibrationReport]>([])
        func add(_ report: RunCalibrationReport) { values.withLock { $0.append(report) } }
        var all: [RunCalibrationReport] { values.withLock { $0 } }

        var refusal: String? {
            if case .refused(let reason) = all.last?.outcome { reason } else { nil }
        }

        var figures: RunCalibrationFigures? {
            if case .calibrated(_, let figures) = all.first?.outcome { figures } else { nil }
        }
    }

    private func withStage(
        inject: @escaping RunDetector.Inject = { _, _ in nil },
        _ body: (Stage, URL) async throws -> Void
    ) async throws {
        try await withTemporaryFolder { folder in
            try await body(try Stage(in: folder, model: try #require(Self.model), inject: inject), folder)
        }
    }

    private static func seed(_ well: Int, _ round: Int) -> Int { 1000 + 100 * round + well }

    /// Two dense wells of eight.
    private static func dense(_ well: Int, _ round: Int) -> Frame {
        frame(seed(well, round), cells: well < 2 ? 60 : 20)
    }

    @Test func denseWellsBecomeNormalAndFaultsDoNot() async throws {
        try await withStage(inject: { frame, _ in
            var faulty = frame
            for row in 30..<60 { for column in 40..<70 { faulty[row, column] = 20 } }
            return faulty
        }) { stage, folder in
            let first = stage.play(0..<12, Self.dense)
            #expect(first.first?.model == "shipped")
            let figures = try #require(stage.reports.figures, "\(stage.reports.all)")
            #expect(figures.frames + figures.leftOut == 48 && figures.wells == 8)
            #expect(figures.foundAfter == figures.injected && figures.injected > 0)
            let later = stage.play(20..<30, Self.dense)
            let (_, name) = try Model.read(path: folder.appending(path: "01/learned.safetensors").path)
            #expect(later.allSatisfy { $0.model == name })
            let before = first.prefix(48).count { $0.isFaulty }
            #expect(before >= 6, "the shipped model flags dense wells: \(before)")
            #expect(later.count { $0.isFaulty } <= 4)
            let bubbles = stage.play(40..<42) { Self.bubble(Self.seed($0, $1), cells: $0 < 2 ? 40 : 20) }
            #expect(bubbles.allSatisfy { $0.isFaulty })
        }
    }

    @Test func aBubbleThatIsThereFromTheStartDoesNotBecomeNormal() async throws {
        try await withStage { stage, _ in
            func frame(_ well: Int, _ round: Int) -> Frame {
                well == 3 ? Self.bubble(Self.seed(well, round)) : Self.frame(Self.seed(well, round))
            }
            _ = stage.play(0..<12, frame)
            let figures = try #require(stage.reports.figures, "\(stage.reports.all)")
            #expect(figures.wells == 7 && figures.leftOut >= 6)
            let later = stage.play(20..<24, frame)
            #expect(later.filter { $0.well == 3 }.allSatisfy { $0.isFaulty && $0.model != "shipped" })
        }
    }

    @Test func aPlateFullOfBubblesIsNotCalibratedOn() async throws {
        try await withStage { stage, folder in
            func frame(_ well: Int, _ round: Int) -> Frame {
                well < 3 ? Self.bubble(Self.seed(well, round)) : Self.frame(Self.seed(well, round))
            }
            let judged = stage.play(0..<14, frame)
            #expect(stage.reports.refusal?.contains("strongly faulty") == true, "\(stage.reports.all)")
            #expect(judged.allSatisfy { $0.model == "shipped" })
            #expect(judged.filter { $0.well < 3 }.allSatisfy { $0.isFaulty })
            #expect(!FileManager.default.fileExists(atPath: folder.appending(path: "01").path))
        }
    }

    @Test func tooFewFramesAreNotCalibratedOn() async throws {
        try await withStage { stage, _ in
            let judged = stage.play(0..<30, wells: 2, Self.dense)
            #expect(stage.reports.refusal?.contains("too few") == true, "\(stage.reports.all)")
            #expect(judged.allSatisfy { $0.model == "shipped" })
        }
    }

    @Test func aModelThatWouldMissInjectedFaultsIsRefused() async throws {
        try await withStage(inject: { frame, number in
            // Faults that look like what the run's own dense wells look like.
            Self.frame(5000 + number, cells: 40)
        }) { stage, _ in
            _ = stage.play(0..<12) { Self.frame(Self.seed($0, $1), cells: $1 < 2 ? 20 : 40) }
            let refusal = stage.reports.refusal
            #expect(refusal?.contains("faults put on copies") == true, "\(stage.reports.all)")
        }
    }

    @Test func aRestartKeepsTheRunsCalibrationAndANewRunGetsItsOwn() async throws {
        try await withStage { stage, folder in
            _ = stage.play(0..<12, Self.dense)
            let calibrated = try #require(stage.play(20..<21, Self.dense).last?.model)
            #expect(stage.play(0..<1, run: "02", Self.dense).allSatisfy { $0.model == "shipped" })
            let model = try #require(Self.model)
            let again = try Stage(in: folder, model: model) { _, _ in nil }
            #expect(again.play(30..<31, Self.dense).allSatisfy { $0.model == calibrated })
            #expect(
                again.reports.all == [RunCalibrationReport(run: "01", outcome: .resumed(model: calibrated))]
            )
            // The calibration of another model does not fit this one.
            let other = try Stage(in: folder, model: model, name: "other") { _, _ in nil }
            #expect(other.play(30..<31, Self.dense).allSatisfy { $0.model == "other" })
        }
    }

    @Test func framesThatAreStuckOrSaturatedAreLeftOut() throws {
        let model = try #require(Self.model)
        let detector = try Detector(model: model, name: "shipped", path: "test", precision: .float32)
        let normal = try #require(detector.calibration.tiles?.normal)
        var reference = RunReference(framesPerWell: 10)
        let well = try #require(Well(row: 0, column: 1))
        let frame = Self.frame(1)
        var white = frame
        for index in 0..<white.pixels.count / 10 { white.pixels[index * 10] = 255 }
        func judge(_ frame: Frame) -> Bool {
            let (judgement, evidence) = detector.judgeWithEvidence(frame)
            return reference.add(frame, judgement, evidence, of: well, by: normal)
        }
        let taken = [frame, frame, white].map {
            judge($0)
        }
        #expect(taken == [true, false, false])
        #expect(reference.leftOut[well]?[.frozen] == 1)
        #expect(reference.frames.count == 1)
    }
}
