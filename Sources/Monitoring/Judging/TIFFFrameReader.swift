import Foundation
import Frames
import Plate

/// Opens TIFF files within limits.
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
