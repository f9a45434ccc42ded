import Plate

/// A frame as the model sees it and as it would be if it were normal.
///
/// Row-major, height x width, on the scale of [0, 1] images: normal frames lie inside; beyond it nothing is clamped.
public struct Reconstruction: Sendable, Equatable {
    /// The frame after preprocessing.
    public let input: [Float]
    /// Its reconstruction.
    public let output: [Float]
    /// Rows.
    public let height: Int
    /// Columns.
    public let width: Int
}

/// How far the reconstruction of a frame is.
public struct ReconstructionProgress: Sendable, Equatable {
    /// Passes of one window (`reference`) or of the frame (`realtime`) that are done.
    public let done: Int
    /// Passes in all.
    public let all: Int
    /// Time left for this frame at the speed so far, in seconds.
    public let secondsLeft: Double
}

/// Turns frames into reconstructions; the profiles differ in how.
protocol Reconstructor: AnyObject {
    /// Reconstructs a frame of any size; `report` hears of every batch of passes.
    func reconstruction(of frame: Frame, report: (ReconstructionProgress) -> Void) -> Reconstruction

    /// Passes that a frame of this size takes.
    func passes(height: Int, width: Int) -> Int
}
