import Frames
import Plate

/// Opens files of frames; the seam between the daemon and the disk.
protocol FrameReading: Sendable {
    /// Opens a file, without reading its pixels.
    func open(_ path: String) throws(FrameReadError) -> any OpenFrames
}

/// An open file of one or more frames of a time series.
protocol OpenFrames {
    /// Frames in the file, at least 1.
    var pageCount: Int { get }
    /// Size of a pixel in um, where the file says it.
    var pixelSize: PixelSize? { get }
    /// Reads one frame, counted from 0.
    func frame(page: Int) throws(FrameReadError) -> Frame
}

/// A file that could not be read, and whether it may be readable later.
struct FrameReadError: Error, Sendable, Equatable {
    /// A sentence that says why.
    let reason: String
    /// Whether the file may still be in the course of being written.
    let isRetriable: Bool
}
