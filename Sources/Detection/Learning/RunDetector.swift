import Foundation
package import Plate
import Synchronization
package import Tensors

/// Judges each run by what the run's own first frames taught, on request.
///
/// While it learns, frames are judged with the model's own calibration, as ever. When each well has shown its first frames, a new
/// calibration is learnt in the background, written as a model file beside the run's logs, and taken from then on; after a restart
/// that file is taken up again. Where the frames are no reference (`ReferenceLearner`), the model's own calibration goes on.
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
        /// Hears what became of a run's learning.
        package var report: @Sendable (LearningReport) -> Void = { _ in }

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
        /// Runs that are being learnt from, the first one first.
        var collecting: [String] = []
    }

    private enum Run {
        case collecting(RunReference)
        /// The background has its frames.
        case learning
        case learnt(Detector)
        case refused
    }

    /// Frames that faults are put on.
    private static let mostInjected = 20
    /// Runs that may be learnt from at once; each may hold some 30 MB.
    private static let mostRuns = 2
    /// While judging wants every core, next to nothing.
    private static let niceness: Int32 = 19

    /// Takes a model file's content; throws if it is not calibrated, or knows nothing of normal tiles.
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
        precondition(framesPerWell > 0, "\(framesPerWell) frames of a well teach nothing")
        base = try Detector(model: model, name: name, path: path, precision: precision)
        guard base.calibration.normal != nil else {
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
            if let known = state.runs[run] { return (known, nil as LearningReport?) }
            return begin(run, in: &state)
        }
        if let report { surroundings.report(report) }
        switch known {
        case .learnt(let detector):
            return WellDetector(detector: detector, path: surroundings.file(run), lesson: nil)
        case .collecting:
            return WellDetector(
                detector: base,
                path: nil,
                lesson: { [self] frame, findings in take(frame, findings, of: well, run: run) }
            )
        case .learning, .refused: return WellDetector(detector: base, path: nil, lesson: nil)
        }
    }

    /// Takes up what was learnt before a restart, or begins to collect.
    private func begin(_ run: String, in state: inout State) -> (Run, LearningReport?) {
        if let detector = stored(run) {
            state.runs[run] = .learnt(detector)
            let report = LearningReport(run: run, outcome: .resumed(model: detector.modelName))
            return (.learnt(detector), report)
        }
        let begun = Run.collecting(RunReference(framesPerWell: framesPerWell))
        state.runs[run] = begun
        state.collecting.append(run)
        guard state.collecting.count > Self.mostRuns else { return (begun, nil) }
        let given = state.collecting.removeFirst()
        state.runs[given] = .refused
        let reason = "frames of newer runs came before there were enough of this one"
        return (begun, LearningReport(run: given, outcome: .refused(reason)))
    }

    /// What the run's model file holds, if it was learnt from this model at this precision.
    private func stored(_ run: String) -> Detector? {
        let path = surroundings.file(run)
        guard FileManager.default.fileExists(atPath: path), let (model, name) = try? Model.read(path: path),
            model.description.learntFrom?.model == base.modelName,
            let calibration = model.description.calibrations[base.precision]
        else { return nil }
        return Detector(sharing: base, calibration: calibration, name: name)
    }

    /// Takes a judged frame, and begins to learn when it was the last one that was waited for.
    private func take(_ frame: Frame, _ findings: Calibration.Findings, of well: Well, run: String) {
        guard let normal = base.calibration.normal else { return }
        var number: Int?
        change(run) { reference in
            guard reference.take(frame, findings, of: well, by: normal) else { return }
            number = reference.nextInjection(most: Self.mostInjected, below: normal.threshold)
        }
        let table = number.flatMap { injected(frame, $0) }
        var due: RunReference?
        change(run) { reference in
            if let table { reference.injected.append(table) }
            if reference.isDue { due = reference }
        } then: { state in
            guard due != nil else { return }
            state.runs[run] = .learning
            state.collecting.removeAll { $0 == run }
        }
        guard let due else { return }
        surroundings.inBackground { self.learn(from: due, run: run) }
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
    private func injected(_ frame: Frame, _ number: Int) -> TileTable? {
        guard let faulty = surroundings.inject(frame, number) else { return nil }
        return base.findings(of: faulty).tiles?.table
    }

    private func learn(from reference: RunReference, run: String) {
        guard let normal = base.calibration.normal else { return }
        let learner = ReferenceLearner(calibration: base.calibration, normal: normal)
        let outcome: LearningReport.Outcome
        do {
            let (calibration, figures) = try learner.learn(from: reference)
            let name = try store(calibration, frames: figures.frames, run: run)
            let detector = Detector(sharing: base, calibration: calibration, name: name)
            state.withLock { $0.runs[run] = .learnt(detector) }
            outcome = .learnt(model: name, figures)
        } catch {
            state.withLock { $0.runs[run] = .refused }
            outcome = .refused((error as? ReferenceLearner.Refusal)?.reason ?? "\(error)")
        }
        surroundings.report(LearningReport(run: run, outcome: outcome))
    }

    /// Writes the run's model and gives its name.
    private func store(_ calibration: Calibration, frames: Int, run: String) throws -> String {
        let path = surroundings.file(run)
        var model = model
        // The other precisions have not seen the run.
        model.description.calibrations = [base.precision: calibration]
        model.description.preferredPrecision = base.precision
        model.description.learntFrom = ModelDescription.RunOrigin(
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
        thread.name = "autoqc.learning"
        thread.start()
    }
}
