import Frames
import Plate

/// The real frames that simulated ones are compared with, from the folder of real data.
struct RealFrames {
    /// A normal ComplexEye frame.
    let normal: Frame
    /// A ComplexEye frame with an air bubble.
    let bubble: Frame
    /// A short movie of migrating neutrophils.
    let movie: [Frame]
    /// Consecutive brightfield frames of blood stem cells.
    let stemCells: [Frame]

    init(folder: String) throws(SimulationError) {
        normal = try Self.read("\(folder)/complexeye/01_A1_f300.tiff")[0]
        bubble = try Self.read("\(folder)/complexeye/01_B1_f100.tiff")[0]
        movie = try Self.read("\(folder)/complexeye/movie_11x190x250.tiff")
        stemCells =
            try Self.read("\(folder)/hsc_brightfield/hsc_f000.tiff")
            + Self.read("\(folder)/hsc_brightfield/hsc_f001.tiff")
    }

    private static func read(_ path: String) throws(SimulationError) -> [Frame] {
        do throws(TIFFError) {
            let reader = try TIFFReader(path: path)
            var frames: [Frame] = []
            for page in 0..<reader.pageCount { frames.append(try reader.frame(page: page)) }
            return frames
        } catch {
            throw SimulationError("\(error); --data names the folder with complexeye/ and hsc_brightfield/")
        }
    }
}
