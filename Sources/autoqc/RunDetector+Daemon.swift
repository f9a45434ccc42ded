import Detection
import Logging
import Plate
import Randomness
import Reporting
import Simulation
import Tables

extension RunDetector.Surroundings {
    /// Strong enough to be seen, weak enough to be missed by a model that is blind.
    private static let severity: Float = 0.6
    /// The simulator's faults are made for grey values of 0 to 255.
    private static let brightest: Float = 255

    /// Beside the daemon's output, with the simulator's faults, telling the log.
    static func daemon(_ tree: OutputTree, _ logger: Logger) -> RunDetector.Surroundings {
        var surroundings = RunDetector.Surroundings { tree.learnedModel(run: $0) }
        surroundings.inject = inject
        surroundings.report = { $0.log(to: logger) }
        return surroundings
    }

    /// Classes of faults take turns, and so do the forms of each.
    private static func inject(into frame: Frame, number: Int) -> Frame? {
        guard frame.pixels.allSatisfy({ $0 <= brightest }) else { return nil }
        let kinds = FaultKind.allCases
        var random = SplitMix64(state: UInt64(number))
        let forms = kinds[number % kinds.count].forms
        let fault = Fault(
            form: forms[number / kinds.count % forms.count],
            severity: severity,
            seed: random.next()
        )
        return fault.injected(into: frame).frame
    }
}

extension LearningReport {
    /// One line, with the figures as its fields.
    fileprivate func log(to logger: Logger) {
        switch outcome {
        case .learnt(let model, let figures):
            logger.notice(
                "The run's first frames taught what is normal; it is judged by that from now on",
                metadata: fields(model, figures)
            )
        case .resumed(let model):
            logger.notice(
                "The run goes on to be judged by what its first frames taught",
                metadata: ["run": "\(run)", "model": "\(model)"]
            )
        case .refused(let reason):
            logger.warning(
                "Nothing is learnt from the run's first frames; the model's own calibration goes on",
                metadata: ["run": "\(run)", "reason": "\(reason)"]
            )
        }
    }

    private func fields(_ model: String, _ figures: LearningFigures) -> Logger.Metadata {
        let reasons = figures.reasons.isEmpty ? "" : " (\(figures.reasons))"
        return [
            "run": "\(run)", "model": "\(model)", "frames": "\(figures.frames)", "wells": "\(figures.wells)",
            "left_out": "\(figures.leftOut)\(reasons)",
            "threshold":
                "\(figures.thresholdBefore.digits(2)) before, \(figures.thresholdAfter.digits(2)) after",
            "flagged": "\(figures.flaggedBefore) before, \(figures.flaggedAfter) after",
            "injected_faults_found":
                "\(figures.foundBefore) before, \(figures.foundAfter) after, of \(figures.injected)",
            "false_alarms_expected": "\((figures.falseAlarmRate * 1000).digits(1)) of 1000 frames",
        ]
    }
}
