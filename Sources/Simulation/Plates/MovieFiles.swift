import Faults
import Foundation
import Frames
import Plate

/// A file for each well, which grows by a page a frame and is closed after the last.
struct MovieFiles: FrameDelivery {
    private final class Movie {
        /// Closes its file when it is let go.
        var writer: TIFFWriter?
        let path: String
        let temporary: String?
        var pages: [(step: PlatePlan.Step, faults: [Fault])] = []

        init(_ writer: TIFFWriter, path: String, temporary: String?) {
            (self.writer, self.path, self.temporary) = (writer, path, temporary)
        }
    }

    private let folder: PlateFolder
    private let truth: TruthLog
    private let settings: PlateSettings
    private var movies: [Int: Movie] = [:]

    init(folder: PlateFolder, truth: TruthLog, settings: PlateSettings) {
        (self.folder, self.truth, self.settings) = (folder, truth, settings)
    }

    var nextPiece: Duration? { nil }

    mutating func deliver(_ made: FrameMaker.Made, _ step: PlatePlan.Step) throws(SimulationError) {
        guard case .page(let frame) = made.content else { preconditionFailure("a file is no page") }
        let movie: Movie
        if let known = movies[step.position] { movie = known } else { movie = try begin(step) }
        movies[step.position] = movie
        do throws(TIFFError) {
            try movie.writer?.append(frame)
        } catch { throw SimulationError("\(error)") }
        movie.pages.append((step, made.faults))
        if movie.pages.count == settings.frames { try end(step.position) }
    }

    private func begin(_ step: PlatePlan.Step) throws(SimulationError) -> Movie {
        let path = try folder.path(of: step)
        guard unsafe access(path, F_OK) != 0 else {
            throw SimulationError("\(path): is there already; name another folder or run")
        }
        let temporary = settings.writer == .rename ? path + PlateFolder.temporarySuffix : nil
        do throws(TIFFError) {
            let writer = try TIFFWriter(
                path: temporary ?? path,
                height: settings.height,
                width: settings.width,
                pages: settings.frames,
                compression: .fastDeflate,
                pixelSize: Microscope.filedPixelSize,
                timeInterval: settings.interval
            )
            return Movie(writer, path: path, temporary: temporary)
        } catch { throw SimulationError("\(error)") }
    }

    private mutating func end(_ position: Int) throws(SimulationError) {
        guard let movie = movies.removeValue(forKey: position) else { return }
        movie.writer = nil
        if let temporary = movie.temporary { try NewFile.rename(temporary, to: movie.path) }
        let closed = Timestamp.thisMillisecond
        for page in movie.pages { try truth.append(page.step, page.faults, closed: closed) }
    }

    func writePiece() {}

    mutating func finish() throws(SimulationError) {
        for position in movies.keys.sorted() { try end(position) }
    }
}
