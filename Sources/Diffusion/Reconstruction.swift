package import Plate

/// A frame as the model sees it and as it would be if it were normal.
///
/// Row-major, height x width, on the scale of [0, 1] images: normal frames lie inside; beyond it nothing is clamped.
package struct Reconstruction: Sendable, Equatable {
    /// The frame after preprocessing.
    package let input: [Float]
    /// Its reconstruction.
    package let output: [Float]
    /// Rows.
    package let height: Int
    /// Columns.
    package let width: Int
    /// Where the images hold every second patch only, side by side: of what frame.
    package var packing: PackedPatches?
}

/// How far the reconstruction of a frame is.
package struct ReconstructionProgress: Sendable, Equatable {
    /// Passes of one window (`reference`) or of the frame (`realtime`) that are done.
    package let done: Int
    /// Passes in all.
    package let all: Int
    /// Time left for this frame at the speed so far, in seconds.
    package let secondsLeft: Double

    /// Gathers the three.
    package init(done: Int, all: Int, secondsLeft: Double) {
        (self.done, self.all, self.secondsLeft) = (done, all, secondsLeft)
    }
}

/// Turns frames into reconstructions; the profiles differ in how.
package protocol Reconstructor: AnyObject {
    /// Reconstructs a frame of any size; `report` hears of every batch of passes.
    ///
    /// Only the `realtime` profile can leave patches out; the images are packed then.
    func reconstruction(
        of frame: Frame,
        patches: PatchSelection,
        report: (ReconstructionProgress) -> Void
    ) -> Reconstruction

    /// Passes that a frame of this size takes.
    func passes(height: Int, width: Int) -> Int
}
