import Foundation
package import Plate
import Synchronization
package import Tensors
import Verdict

/// Judges each run by a calibration on the run's own first frames, on request.
///
/// Until then frames are judged with the model's own calibration. When each well has shown its first frames, a new calibration is
/// fitted in the background, written as a model file beside the run's logs, and used from then on, after a restart too. Where the
/// frames are no examples of normal ones (`RunCalibrator`), the model's own calibration goes on.
package final class RunDetector: Sendable {
    /// Puts a fault on a copy of a frame, another one for each number; `nil` where it cannot.
    package typealias Inject = @Sendable (Frame, _ number: Int) -> Frame?

    /// The surroundings, which a test replaces.
    package struct Surroundings: Sendable {
        /// Where the model file of a run is to lie.
        package var file: @Sendable (_ run: String) -> String
        /// Puts faults on copies of a few frames, to see whether they are found afterwards; none by default.
        package var inject: Inject = { _, _ in nil }
        /// Does something lengthy beside the judging.
        package var inBackground: @Sendable (@escaping @Sendable () -> Void) -> Void = RunDetector.quietly
        /// Hears what came of calibrating on a run.
        package var report: @Sendable (RunCalibrationReport) -> Void = { _ in }

        /// Says where files are to lie; the rest has defaults.
        package init(file: @escaping @Sendable (_ run: String) -> String) { self.file = file }
    }

    /// Judges by the model's own calibration.
    package let base: Detector
    private let model: Model
    private let framesPerWell: Int
    private let surroundings: Surroundings
    private let state = Mutex(State())

    private struct State {
        var runs: [String: Run] = [:]
        /// Runs whose frames are being collected, the first one first.
        var collecting: [String] = []
    }

    private enum Run {
        case collecting(RunReference)
        /// The background has its frames.
        case calibrating
        case calibrated(Detector)
        case refused
    }

    /// Frames that faults are put on.
    private static let mostInjected = 20
    /// Runs whose frames may be collected at once; each may hold some 30 MB.
    private static let mostRuns = 2
    /// While judging wants every core, next to nothing.
    private static let niceness: Int32 = 19

    /// Takes a model file's content; throws if it is not calibrated, or has no normal tiles.
    ///
    /// `framesPerWell` frames of each well are looked at. Without a precision, the model's automatic one.
    package init(
        model: Model,
        name: String,
        path: String,
        precision: Precision? = nil,
        framesPerWell: Int,
        surroundings: Surroundings
    ) throws(ModelError) {
        precondition(framesPerWell > 0, "\(framesPerWell) frames of a well are no examples")
        base = try Detector(model: model, name: name, path: path, precision: precision)
        guard base.calibration.tiles != nil else {
            throw ModelError(
                code: .notCalibrated,
                path: path,
                detail:
                    "does not know what normal tiles look like, which `learn` starts from; run `autoqc calibrate`"
            )
        }
        self.model = model
        self.framesPerWell = framesPerWell
        self.surroundings = surroundings
    }

    /// What judges the next frames of a well: with the run's own calibration once there is one.
    package func detector(for well: Well, of run: String) -> WellDetector {
        let (known, report) = state.withLock { state in
            if let known = state.runs[run] { return (known, nil as RunCalibrationReport?) }
            return begin(run, in: &state)
        }
        if let report { surroundings.report(report) }
        switch known {
        case .calibrated(let detector):
            return WellDetector(detector: detector, path: surroundings.file(run), collect: nil)
        case .collecting:
            return WellDetector(
                detector: base,
                path: nil,
                collect: { [self] in collect($0, $1, $2, of: well, run: run) }
            )
        case .calibrating, .refused: return WellDetector(detector: base, path: nil, collect: nil)
        }
    }

    /// Uses the calibration from before a restart, or begins to collect.
    private func begin(_ run: String, in state: inout State) -> (Run, RunCalibrationReport?) {
        if let detector = stored(run) {
            state.runs[run] = .calibrated(detector)
            let report = RunCalibrationReport(run: run, outcome: .resumed(model: detector.modelName))
            return (.calibrated(detector), report)
        }
        let begun = Run.collecting(RunReference(framesPerWell: framesPerWell))
        state.runs[run] = begun
        state.collecting.append(run)
        guard state.collecting.count > Self.mostRuns else { return (begun, nil) }
        let given = state.collecting.removeFirst()
        state.runs[given] = .refused
        let reason = "frames of newer runs came before there were enough of this one"
        return (begun, RunCalibrationReport(run: given, outcome: .refused(reason)))
    }

    /// The run's model file, if it was calibrated from this model at this precision.
    private func stored(_ run: String) -> Detector? {
        let path = surroundings.file(run)
        guard FileManager.default.fileExists(atPath: path), let (model, name) = try? Model.read(path: path),
            model.description.calibratedOn?.model == base.modelName,
            let calibration = model.description.calibrations[base.precision]
        else { return nil }
        return Detector(sharing: base, calibration: calibration, name: name)
    }

    /// Takes a judged frame, and begins to calibrate when it was the last one that was waited for.
    private func collect(
        _ frame: Frame,
        _ judgement: Judgement,
        _ evidence: Evidence,
        of well: Well,
        run: String
    ) {
        guard let normal = base.calibration.tiles?.normal else { return }
        var number: Int?
        change(run) { reference in
            guard reference.add(frame, judgement, evidence, of: well, by: normal) else { return }
            number = reference.nextInjection(most: Self.mostInjected)
        }
        let figures = number.flatMap { injected(frame, $0) }
        var due: RunReference?
        change(run) { reference in
            if let figures { reference.injected.append(figures) }
            if reference.isDue { due = reference }
        } then: { state in
            guard due != nil else { return }
            state.runs[run] = .calibrating
            state.collecting.removeAll { $0 == run }
        }
        guard let due else { return }
        surroundings.inBackground { self.calibrate(on: due, run: run) }
    }

    /// Changes what is collected of a run, if anything still is.
    private func change(
        _ run: String,
        _ body: (inout RunReference) -> Void,
        then: (inout State) -> Void = { _ in }
    ) {
        state.withLock { state in
            guard case .collecting(var reference) = state.runs[run] else { return }
            body(&reference)
            state.runs[run] = .collecting(reference)
            then(&state)
        }
    }

    /// The tiles of a copy of the frame with a fault on it.
    private func injected(_ frame: Frame, _ number: Int) -> TileFigures? {
        guard let faulty = surroundings.inject(frame, number) else { return nil }
        return base.judgeWithEvidence(faulty).1.tiles?.figures
    }

    private func calibrate(on reference: RunReference, run: String) {
        guard let tiles = base.calibration.tiles else { return }
        let calibrator = RunCalibrator(calibration: base.calibration, tiles: tiles)
        let outcome: RunCalibrationReport.Outcome
        do {
            let (calibration, figures) = try calibrator.calibrate(on: reference)
            let name = try store(calibration, frames: figures.frames, run: run)
            let detector = Detector(sharing: base, calibration: calibration, name: name)
            state.withLock { $0.runs[run] = .calibrated(detector) }
            outcome = .calibrated(model: name, figures)
        } catch {
            state.withLock { $0.runs[run] = .refused }
            outcome = .refused((error as? RunCalibrator.Refusal)?.reason ?? "\(error)")
        }
        surroundings.report(RunCalibrationReport(run: run, outcome: outcome))
    }

    /// Writes the run's model and gives its name.
    private func store(_ calibration: Calibration, frames: Int, run: String) throws -> String {
        let path = surroundings.file(run)
        var model = model
        // The other precisions have not seen the run.
        model.description.calibrations = [base.precision: calibration]
        model.description.preferredPrecision = base.precision
        model.description.calibrationFiles = nil
        model.description.calibratedOn = ModelDescription.RunOrigin(
            model: base.modelName,
            run: run,
            frames: frames
        )
        try FileManager.default.createDirectory(
            at: URL(filePath: path).deletingLastPathComponent(),
            withIntermediateDirectories: true
        )
        try model.write(path: path)
        return try Model.read(path: path).name
    }

    /// A thread of the lowest priority of its own.
    package static func quietly(_ body: @escaping @Sendable () -> Void) {
        let thread = Thread {
            // On Linux 0 is this thread, not the process.
            _ = setpriority(__priority_which_t(PRIO_PROCESS.rawValue), 0, niceness)
            body()
        }
        thread.name = "autoqc.calibrating"
        thread.start()
    }
}

/// What judges some frames of one well: with the model's own calibration, or with the run's (`RunDetector`).
package struct WellDetector: Sendable {
    /// Judges.
    package let detector: Detector
    /// The model file with the run's calibration; `nil` while the model's own calibration judges.
    package let path: String?
    /// Collects frames that the run may be calibrated on.
    let collect: (@Sendable (Frame, Judgement, Evidence) -> Void)?

    /// Judges a frame, and collects it; several threads may judge at once.
    ///
    /// `threshold` is a severity of the user's own; without it the calibration's decides.
    package func judge(_ frame: Frame, threshold: Double?, patches: PatchSelection = .all) -> Judgement {
        guard let collect else { return detector.judge(frame, threshold: threshold, patches: patches) }
        let (judgement, evidence) = detector.judgeWithEvidence(frame, threshold: threshold, patches: patches)
        collect(frame, judgement, evidence)
        return judgement
    }
}
