package import Detection
import Faults
import Foundation
package import Logging
package import Reporting

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
