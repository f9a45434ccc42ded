package import Diffusion
package import Plate
import Synchronization
package import Tensors

/// Turns frames into score maps with a model of any method and profile, calibrated or not.
///
/// Any number of threads may ask at once: each gets a reconstructor of its own for a frame of the `realtime` profile;
/// those of the `reference` profile go one after another, as one frame keeps all cores busy. `patches` says which ones are
/// reconstructed in the `realtime` profile (`Reconstructor`).
package final class FrameScorer: Sendable {
    /// What the network multiplies.
    package let precision: Precision
    private let model: Model
    private let idle: Mutex<[Held]>
    /// Held by the one frame that may be worked on, in the `reference` profile.
    private let single = Mutex(())

    private struct Held: @unchecked Sendable {  // one thread at a time takes it from the list
        let reconstructor: any Reconstructor
    }

    /// Takes a model that was read or trained; `path` is for messages.
    package init(model: Model, path: String, precision: Precision = .float32) throws(ModelError) {
        self.model = model
        self.precision = precision
        idle = Mutex([Held(reconstructor: try model.reconstructor(path: path, precision: precision))])
    }

    private func withReconstructor<Result>(_ body: (any Reconstructor) -> Result) -> Result {
        guard let held = idle.withLock({ $0.popLast() }) ?? another() else {
            preconditionFailure("a model that was checked when it was taken")
        }
        defer { idle.withLock { $0.append(held) } }
        return body(held.reconstructor)
    }

    private func another() -> Held? {
        (try? model.reconstructor(path: "", precision: precision)).map { Held(reconstructor: $0) }
    }

    /// The median-filtered residual of a frame of any size, on the scale of [0, 1] images.
    ///
    /// `report` hears how far the passes over the frame are.
    package func map(
        of frame: Frame,
        report: (ReconstructionProgress) -> Void = { _ in }
    ) -> ScoreMap {
        map(of: reconstruction(of: frame, report: report))
    }

    /// The median-filtered residual of a frame that has been reconstructed.
    package func map(of reconstruction: Reconstruction) -> ScoreMap {
        let map = model.description.residual.map(
            input: reconstruction.input,
            reconstruction: reconstruction.output,
            height: reconstruction.height,
            width: reconstruction.width
        ).medianFiltered()
        return reconstruction.packing?.unpacked(map) ?? map
    }

    /// A frame of any size as the model sees it, and what the model makes of it.
    package func reconstruction(
        of frame: Frame,
        patches: PatchSelection = .all,
        report: (ReconstructionProgress) -> Void = { _ in }
    ) -> Reconstruction {
        guard model.description.realtime == nil else {
            return withReconstructor { $0.reconstruction(of: frame, patches: patches, report: report) }
        }
        return single.withLock { _ in
            withReconstructor { $0.reconstruction(of: frame, patches: patches, report: report) }
        }
    }

    /// The same of a model of the `reference` profile in a variant; one of the `realtime` profile knows none.
    package func reconstruction(
        of frame: Frame,
        variant: ReferenceVariant,
        report: (ReconstructionProgress) -> Void = { _ in }
    ) -> Reconstruction {
        guard variant != ReferenceVariant() else { return reconstruction(of: frame, report: report) }
        return single.withLock { _ in
            withReconstructor { reconstructor in
                guard let reference = reconstructor as? ReferenceReconstructor else {
                    preconditionFailure("a variant of a model that has none")
                }
                return reference.reconstruction(of: frame, variant: variant, report: report)
            }
        }
    }

    /// The ranges inside the folded network over all phases of a frame (`ModelDescription.ranges`); `nil` for
    /// a model of the `reference` profile.
    package func ranges(of frame: Frame) -> [ClosedRange<Float>]? {
        withReconstructor { ($0 as? RealtimeReconstructor)?.ranges(of: frame) }
    }

    /// Passes that a frame takes: of the whole frame in the `realtime` profile, of one window in `reference`.
    package func passesPerFrame(height: Int, width: Int) -> Int {
        withReconstructor { $0.passes(height: height, width: width) }
    }
}
