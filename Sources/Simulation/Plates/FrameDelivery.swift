import Faults
import Foundation
import Frames
import Plate

/// A way of writing frames into the plate's folder.
protocol FrameDelivery {
    /// When the next piece of an open file is due, from the start; `nil` for none.
    var nextPiece: Duration? { get }
    /// Takes a frame that is due.
    mutating func deliver(_ made: FrameMaker.Made, _ step: PlatePlan.Step) throws(SimulationError)
    /// Writes the piece that is due.
    mutating func writePiece() throws(SimulationError)
    mutating func finish() throws(SimulationError)
}

/// Files written in one go, under their name or under a temporary one first.
struct WholeFiles: FrameDelivery {
    let folder: PlateFolder
    let truth: TruthLog
    let renames: Bool

    var nextPiece: Duration? { nil }

    func deliver(_ made: FrameMaker.Made, _ step: PlatePlan.Step) throws(SimulationError) {
        guard case .file(let data) = made.content else { preconditionFailure("a page is no file") }
        let path = try folder.path(of: step)
        let file = try NewFile(renames ? path + PlateFolder.temporarySuffix : path)
        try file.write(data)
        try file.close()
        if renames { try NewFile.rename(path + PlateFolder.temporarySuffix, to: path) }
        try truth.append(step, made.faults, closed: .thisMillisecond)
    }

    func writePiece() {}
    func finish() {}
}

/// Files written in pieces with pauses; several are open at once.
struct SlowFiles: FrameDelivery {
    private struct Open {
        let file: NewFile
        let step: PlatePlan.Step
        let faults: [Fault]
        var pieces: ArraySlice<Data>
        var due: Duration
    }

    private static let pieces = 5

    private let folder: PlateFolder
    private let truth: TruthLog
    private let pause: Duration
    private var open: [Open] = []

    /// A file takes half the interval of `scaledInterval` s, at most 2 s.
    init(folder: PlateFolder, truth: TruthLog, scaledInterval: Double) {
        (self.folder, self.truth) = (folder, truth)
        pause = .seconds(min(scaledInterval / 2, 2) / Double(Self.pieces - 1))
    }

    var nextPiece: Duration? { open.map(\.due).min() }

    mutating func deliver(_ made: FrameMaker.Made, _ step: PlatePlan.Step) throws(SimulationError) {
        guard case .file(let data) = made.content else { preconditionFailure("a page is no file") }
        let size = data.count / Self.pieces + 1
        let pieces = stride(from: 0, to: data.count, by: size).map { data[$0..<min($0 + size, data.count)] }
        let file = try NewFile(try folder.path(of: step))
        try file.write(pieces[0])
        open.append(
            Open(
                file: file,
                step: step,
                faults: made.faults,
                pieces: pieces.dropFirst(),
                due: step.due + pause
            )
        )
    }

    mutating func writePiece() throws(SimulationError) {
        guard let index = open.indices.min(by: { open[$0].due < open[$1].due }) else { return }
        if let piece = open[index].pieces.popFirst() { try open[index].file.write(piece) }
        open[index].due += pause
        guard open[index].pieces.isEmpty else { return }
        let done = open.remove(at: index)
        try done.file.close()
        try truth.append(done.step, done.faults, closed: .thisMillisecond)
    }

    mutating func finish() throws(SimulationError) {
        while !open.isEmpty { try writePiece() }
    }
}

/// A file for each well, which grows by a page a frame and is closed after the last.
struct MovieFiles: FrameDelivery {
    private final class Movie {
        /// Closes its file when it is released.
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

/// The folder that a plate is written into.
struct PlateFolder {
    /// Ending of temporary files, which the daemon ignores.
    static let temporarySuffix = ".part"

    private let root: String

    /// Makes the folder, which may have other files in it.
    init(_ root: String) throws(SimulationError) {
        self.root = root
        try Self.make(root)
    }

    /// Path of a frame's file; makes the well's folder.
    func path(of step: PlatePlan.Step) throws(SimulationError) -> String {
        let path = "\(root)/\(step.path)"
        let folder = URL(filePath: path).deletingLastPathComponent().path
        if step.path.contains("/"), !FileManager.default.fileExists(atPath: folder) { try Self.make(folder) }
        return path
    }

    private static func make(_ folder: String) throws(SimulationError) {
        do {
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        } catch {
            throw SimulationError("\(folder): cannot be made (\(error.localizedDescription)); check the path")
        }
    }

    /// Whether a file would lie within a folder, links followed.
    static func holds(_ folder: String, _ file: String) -> Bool {
        let resolved = { (path: String) in
            URL(filePath: path).standardizedFileURL.resolvingSymlinksInPath().path
        }
        // The file does not exist yet, so its own name is no link.
        let parent = resolved(URL(filePath: file).standardizedFileURL.deletingLastPathComponent().path)
        let root = resolved(folder)
        return parent == root || parent.hasPrefix(root == "/" ? root : root + "/")
    }
}

/// A new file that is being written.
struct NewFile {
    private let handle: FileHandle
    private let path: String

    /// Makes the file; throws where there is one of this name already.
    init(_ path: String, appends: Bool = false) throws(SimulationError) {
        let flags = O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | (appends ? O_APPEND : 0)
        let descriptor = unsafe open(path, flags, 0o644)
        guard descriptor >= 0 else {
            let reason = unsafe String(cString: strerror(errno))
            let remedy =
                errno == EEXIST ? "it is there already; name another folder, run or truth file" : reason
            throw SimulationError("\(path): cannot be made: \(remedy)")
        }
        handle = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
        self.path = path
    }

    func write(_ data: Data) throws(SimulationError) {
        do {
            try handle.write(contentsOf: data)
        } catch {
            throw SimulationError("\(path): cannot be written (\(error.localizedDescription))")
        }
    }

    func close() throws(SimulationError) {
        do {
            try handle.close()
        } catch {
            throw SimulationError("\(path): cannot be closed (\(error.localizedDescription))")
        }
    }

    /// Gives a file another name in the same folder; throws where there is one of this name already.
    static func rename(_ path: String, to target: String) throws(SimulationError) {
        guard unsafe access(target, F_OK) != 0, unsafe Foundation.rename(path, target) == 0 else {
            throw SimulationError("\(path): cannot be renamed to \(target); is that there already?")
        }
    }
}
