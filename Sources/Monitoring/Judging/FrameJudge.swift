package import Plate

/// Whatever judges frames: the detector in the daemon, a double in tests.
package protocol FrameJudge: Sendable {
    /// The model's name in every record, the first digits of its file's SHA-256.
    var model: String { get }

    /// What the network computes with, in every record, for example `f32` or `int8`.
    var precisionName: String { get }

    /// The file that has this name, where it is another than the configured one.
    var modelPath: String? { get }

    /// What judges the next frames of a well: another judge where the run itself taught what is normal.
    func judging(_ well: Well, of run: String) -> any FrameJudge

    /// Share of normal frames that the calibration lets be called faulty; `nil` where it does not say.
    var falseAlarmRate: Double? { get }

    /// Judges a frame; called from several threads at once.
    ///
    /// `threshold` is a severity of the user's own; without it the calibration's decides.
    func judge(_ frame: Frame, threshold: Double?) throws -> Judgement

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

    /// Nothing to warn of.
    package func warning(for frame: Frame) -> String? { nil }
}
