package import Detection
import Faults
import Foundation
package import Logging
package import Plate
package import Reporting

/// Whatever judges frames: the detector in the daemon, a double in tests.
package protocol FrameJudge: Sendable {
    /// The model's name in every record, the first digits of its file's SHA-256.
    var model: String { get }

    /// What the network computes with, in every record, for example `f32` or `int8`.
    var precisionName: String { get }

    /// The file that has this name, where it is another than the configured one.
    var modelPath: String? { get }

    /// The judge of the next frames of a well: another one where the model was calibrated on the run itself.
    func judging(_ well: Well, of run: String) -> any FrameJudge

    /// Share of normal frames that the calibration lets be called faulty; `nil` where it does not say.
    var falseAlarmRate: Double? { get }
    /// Normal frames that the threshold was found from; `nil` where that is not known.
    var calibrationFrames: Int? { get }

    /// Judges a frame; called from several threads at once.
    ///
    /// `threshold` is a severity of the user's own; without it the calibration's decides. `patches` are those that the network
    /// looks at.
    func judge(_ frame: Frame, threshold: Double?, patches: PatchSelection) throws -> Judgement

    /// Where a frame stands out, as in the judgement of it, without the network; `nil` where judgements do not say it.
    func detail(of frame: Frame) -> FrameDetail?

    /// What to know about judgements of frames like this one; `nil` where they can be taken as they are.
    func warning(for frame: Frame) -> String?
}

extension FrameJudge {
    /// Single precision.
    package var precisionName: String { "f32" }

    /// The configured one.
    package var modelPath: String? { nil }

    /// The same for every run.
    package func judging(_ well: Well, of run: String) -> any FrameJudge { self }

    /// Not known.
    package var falseAlarmRate: Double? { nil }

    /// Not known.
    package var calibrationFrames: Int? { nil }

    /// Not known.
    package func detail(of frame: Frame) -> FrameDetail? { nil }

    /// Nothing to warn of.
    package func warning(for frame: Frame) -> String? { nil }
}

extension Detector: FrameJudge {
    /// The model's name in every record.
    package var model: String { modelName }

    /// Judges a frame.
    package func judge(_ frame: Frame, threshold: Double?, patches: PatchSelection) -> Judgement {
        judge(frame, threshold: threshold, patches: patches) { _ in }
    }
}

extension RunDetector: FrameJudge {
    /// Name of the model that every run begins with.
    package var model: String { base.model }

    /// What the network multiplies.
    package var precisionName: String { base.precisionName }

    /// What every run begins with.
    package var falseAlarmRate: Double? { base.falseAlarmRate }

    /// The frames that this was found from.
    package var calibrationFrames: Int? { base.calibrationFrames }

    /// The model as calibrated on the run, or the model as it came, which then shows the run its frames.
    package func judging(_ well: Well, of run: String) -> any FrameJudge { detector(for: well, of: run) }

    /// Judges a frame of no run.
    package func judge(_ frame: Frame, threshold: Double?, patches: PatchSelection) -> Judgement {
        base.judge(frame, threshold: threshold, patches: patches)
    }

    /// Where a frame of no run stands out.
    package func detail(of frame: Frame) -> FrameDetail? { base.detail(of: frame) }

    /// What to know about frames that the model was not calibrated for.
    package func warning(for frame: Frame) -> String? { base.warning(for: frame) }
}

extension WellDetector: FrameJudge {
    /// Name of the model, or of the one calibrated on the run.
    package var model: String { detector.model }

    /// What the network multiplies.
    package var precisionName: String { detector.precisionName }

    /// What its threshold was found for.
    package var falseAlarmRate: Double? { detector.falseAlarmRate }

    /// The frames that this was found from.
    package var calibrationFrames: Int? { detector.calibrationFrames }

    /// The file of the model calibrated on the run.
    package var modelPath: String? { path }

    /// Where a frame stands out.
    package func detail(of frame: Frame) -> FrameDetail? { detector.detail(of: frame) }

    /// What to know about frames that the model was not calibrated for.
    package func warning(for frame: Frame) -> String? { detector.warning(for: frame) }
}

extension RunDetector.Surroundings {
    /// The daemon's: model files beside its output, simulated faults on copies of frames, and reports in the log.
    package static func daemon(_ tree: OutputTree, _ logger: Logger) -> RunDetector.Surroundings {
        var surroundings = RunDetector.Surroundings { tree.learnedModel(run: $0) }
        surroundings.inject = { TestFault.copy(of: $0, number: $1) }
        surroundings.report = { $0.log(to: logger) }
        return surroundings
    }
}

extension RunCalibrationReport {
    /// One line, with the figures as its fields.
    fileprivate func log(to logger: Logger) {
        switch outcome {
        case .calibrated(let model, let figures):
            logger.notice(
                "The run is judged with a calibration on its own first frames from now on",
                metadata: fields(model, figures)
            )
        case .resumed(let model):
            logger.notice(
                "The run goes on with the calibration on its own first frames",
                metadata: ["run": "\(run)", "model": "\(model)"]
            )
        case .refused(let reason):
            logger.warning(
                "The run is not calibrated on its first frames; the model's own calibration goes on",
                metadata: ["run": "\(run)", "reason": "\(reason)"]
            )
        }
    }

    private func fields(_ model: String, _ figures: RunCalibrationFigures) -> Logger.Metadata {
        let reasons = figures.reasons.isEmpty ? "" : " (\(figures.reasons))"
        let thresholds = [figures.thresholdBefore, figures.thresholdAfter].map { String(format: "%.2f", $0) }
        let falseAlarms = String(format: "%.1f", figures.falseAlarmRate * 1000)
        return [
            "run": "\(run)", "model": "\(model)", "frames": "\(figures.frames)", "wells": "\(figures.wells)",
            "left_out": "\(figures.leftOut)\(reasons)",
            "threshold": "\(thresholds[0]) before, \(thresholds[1]) after",
            "flagged": "\(figures.flaggedBefore) before, \(figures.flaggedAfter) after",
            "injected_faults_found":
                "\(figures.foundBefore) before, \(figures.foundAfter) after, of \(figures.injected)",
            "false_alarms_expected": "\(falseAlarms) of 1000 frames",
        ]
    }
}
