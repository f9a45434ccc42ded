import Foundation
import Frames
import Plate

/// Opens files of frames; the seam between the daemon and the disk.
protocol FrameReading: Sendable {
    /// Opens a file, without reading its pixels.
    func open(_ path: String) throws(FrameReadError) -> any OpenFrames
}

/// An open file of one or more frames of a time series.
protocol OpenFrames {
    var pageCount: Int { get }
    /// Size of a pixel in um, where the file says it.
    var pixelSize: PixelSize? { get }
    /// Reads one frame, counted from 0.
    func frame(page: Int) throws(FrameReadError) -> Frame
}

/// A file that could not be read, and whether it may be readable later.
struct FrameReadError: Error, Sendable, Equatable {
    let reason: String
    /// Whether the file may still be in the course of being written.
    let isRetriable: Bool
}

struct TIFFFrameReader: FrameReading {
    let limits: TIFFLimits

    func open(_ path: String) throws(FrameReadError) -> any OpenFrames {
        do {
            return TIFFFrames(reader: try TIFFReader(path: path, limits: limits))
        } catch {
            throw FrameReadError(error)
        }
    }

    private struct TIFFFrames: OpenFrames {
        let reader: TIFFReader

        var pageCount: Int { reader.pageCount }
        var pixelSize: PixelSize? { reader.pixelSize }

        func frame(page: Int) throws(FrameReadError) -> Frame {
            do {
                return try reader.frame(page: page)
            } catch {
                throw FrameReadError(error)
            }
        }
    }
}

extension FrameReadError {
    /// A file that could not be opened may be readable later, unless it is gone: a share may be away for a moment.
    init(_ error: TIFFError) {
        let isAway = error.code == .cannotOpen && error.errno != ENOENT
        self.init(reason: error.description, isRetriable: error.isRetriable || isAway)
    }
}
