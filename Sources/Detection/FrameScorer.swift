public import Plate
import Synchronization

/// Turns frames into score maps with a model of any method and profile, calibrated or not.
public final class FrameScorer: Sendable {
    private let description: ModelDescription
    private let held: Mutex<Held>

    private struct Held: @unchecked Sendable {  // used only under the lock above
        let reconstructor: any Reconstructor
    }

    /// Takes a model that was read or trained; `path` is for messages.
    public init(model: Model, path: String) throws(ModelError) {
        description = model.description
        held = Mutex(Held(reconstructor: try model.reconstructor(path: path)))
    }

    /// The median-filtered residual of a frame of any size, on the scale of [0, 1] images.
    ///
    /// `report` hears how far the passes over the frame are.
    public func map(
        of frame: Frame,
        report: (ReconstructionProgress) -> Void = { _ in }
    ) -> ScoreMap {
        map(of: reconstruction(of: frame, report: report))
    }

    /// The median-filtered residual of a frame that has been reconstructed.
    public func map(of reconstruction: Reconstruction) -> ScoreMap {
        description.residual.map(
            input: reconstruction.input,
            reconstruction: reconstruction.output,
            height: reconstruction.height,
            width: reconstruction.width
        ).medianFiltered()
    }

    /// A frame of any size as the model sees it, and what the model makes of it.
    public func reconstruction(
        of frame: Frame,
        report: (ReconstructionProgress) -> Void = { _ in }
    ) -> Reconstruction {
        held.withLock { $0.reconstructor.reconstruction(of: frame, report: report) }
    }

    /// Passes that a frame takes: of the whole frame in the `realtime` profile, of one window in `reference`.
    public func passesPerFrame(height: Int, width: Int) -> Int {
        held.withLock { $0.reconstructor.passes(height: height, width: width) }
    }
}
