public import Plate
import Synchronization

/// Turns frames into score maps with a model, calibrated or not.
public final class FrameScorer: Sendable {
    private let description: ModelDescription
    private let reconstructor: Mutex<FrameReconstructor>

    /// Takes a model that was read or trained; `path` is for messages.
    public init(model: Model, path: String) throws(ModelError) {
        description = model.description
        reconstructor = Mutex(try Self.reconstructor(of: model, path: path))
    }

    private static func reconstructor(
        of model: Model,
        path: String
    ) throws(ModelError) -> sending FrameReconstructor {
        let network = try model.network(path: path).network
        return FrameReconstructor(diffusion: model.description.diffusion, network: network)
    }

    /// The median-filtered residual of a frame of any size, on the scale of [0, 1] images.
    public func map(of frame: Frame) -> ScoreMap {
        let image = description.normalisation.normalised(frame.pixels)
        let reconstruction = reconstructor.withLock {
            $0.reconstruct(image, height: frame.height, width: frame.width)
        }
        return description.residual.map(
            input: image.map { 0.5 * ($0 + 1) },
            reconstruction: reconstruction.map { 0.5 * ($0 + 1) },
            height: frame.height,
            width: frame.width
        ).medianFiltered()
    }
}
