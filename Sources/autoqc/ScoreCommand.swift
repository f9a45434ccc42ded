import Acquisition
import ArgumentParser
import Detection
import Foundation
import Frames
import Plate
import Tables
import Tensors
import Training

struct ScoreCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "score",
        abstract: "Judge frames and print one CSV row each.",
        discussion: """
            The same code as the daemon's. A file that cannot be read gets a row with the verdict unreadable, and a reason on \
            standard error; the others are judged all the same, and the command exits with 1 at the end. --ranked is for \
            curation: calibrate a model on curated normal frames of a study, rank all others, and look at them from the top.
            """
    )

    @Option(help: "The calibrated model.")
    var model: String
    @Argument(help: "Frames: files, folders, globs or CSV lists.")
    var paths: [String]
    @Option(help: "Folder for masks, NAME.mask.tiff, 0 and 255.")
    var masks: String?
    @Option(help: "Folder for score maps, NAME.map.tiff, 32-bit float.")
    var maps: String?
    @Flag(help: "Print rows when all frames are judged: unreadable ones, then the most severe first.")
    var ranked = false
    @Option(help: "Overlap of a reference model's windows, from 0 to below 1, instead of the model's own.")
    var overlap: Double?
    @Option(help: ArgumentHelp(Precision.help))
    var precision = Precision.Choice.auto
    @Option(help: "How file names tell run, well and frame.")
    var pattern = FramePattern.standard
    @OptionGroup var threads: ThreadOptions

    private static let header =
        "file,run,well,frame,score_max,score_mean,score_patch,score,severity,threshold,verdict,area,cause,confidence,"
        + "suspect"

    func run() throws {
        threads.apply()
        let detector = try detector()
        for folder in [masks, maps].compactMap({ $0 }) { try OutputPath.makeFolder(folder) }
        let names = try FramePattern(pattern)
        let frames = try FramePaths.all(paths)
        guard !frames.isEmpty else {
            throw DataError("\(paths.joined(separator: ", ")): no TIFF files in there; check the path")
        }
        if masks != nil || maps != nil { try Self.refuseSharedNames(frames) }
        var table = ScoreTable(header: Self.header, isRanked: ranked)
        var warned: Set<String> = []
        var unreadable = 0
        // A reference model keeps all cores busy with one frame, and tells how far it is.
        let width = detector.description.realtime == nil ? 1 : Compute.threads
        for start in stride(from: 0, to: frames.count, by: width) {
            let paths = Array(frames[start..<min(start + width, frames.count)])
            let ahead =
                width == 1 ? [] : Compute.concurrentMap(paths.count) { Ahead(paths[$0], judgedBy: detector) }
            for (index, path) in paths.enumerated() {
                let judged = ahead.isEmpty ? nil : ahead[index].judgement
                let isRead = try score(
                    path,
                    with: detector,
                    judged: judged,
                    names: names,
                    into: &table,
                    warned: &warned
                )
                if !isRead { unreadable += 1 }
            }
        }
        table.finish()
        guard unreadable == 0 else {
            Terminal.note("\(unreadable) of \(frames.count) files could not be read")
            throw ExitCode.failure
        }
    }

    /// A file's only frame, judged beside others; a movie or a file that cannot be read is judged in order.
    private struct Ahead: Sendable {
        let judgement: Judgement?

        init(_ path: String, judgedBy detector: Detector) {
            let reader = try? TIFFReader(path: path)
            let frame = reader?.pageCount == 1 ? try? reader?.frame(page: 0) : nil
            judgement = frame.map { detector.judge($0) }
        }
    }

    /// Masks and maps are named like their frames: of two frames of one name, one would lose its own.
    private static func refuseSharedNames(_ frames: [String]) throws {
        var known: [String: String] = [:]
        for path in frames {
            let name = URL(filePath: path).deletingPathExtension().lastPathComponent
            if let other = known.updateValue(path, forKey: name) {
                throw DataError(
                    "\(other) and \(path) would have the same mask or map; score their folders one after another, "
                        + "each with a folder of its own for --masks and --maps"
                )
            }
        }
    }

    private func detector() throws -> Detector {
        var (loaded, name) = try Model.read(path: model)
        if let overlap {
            try loaded.setOverlap(overlap)
            if loaded.description.calibration != nil {
                Terminal.note(
                    "the thresholds were found at the model's own overlap; `autoqc calibrate` finds others"
                )
            }
        }
        return try Detector(model: loaded, name: name, path: model, precision: precision.precision)
    }

    /// Prints a row for each page; `false` for a file that cannot be read.
    private func score(
        _ path: String,
        with detector: Detector,
        judged: Judgement?,
        names: FramePattern,
        into table: inout ScoreTable,
        warned: inout Set<String>
    ) throws -> Bool {
        let url = URL(filePath: path)
        let folder = url.deletingLastPathComponent().lastPathComponent
        let name = names.match(relativePath: url.lastPathComponent, rootName: folder)
        do {
            let reader = try TIFFReader(path: path)
            var terminal = Terminal()
            for page in 0..<reader.pageCount {
                let frame = try reader.frame(page: page)
                if let warning = detector.warning(for: frame), warned.insert(warning).inserted {
                    Terminal.note(warning)
                }
                let judgement =
                    judged ?? detector.judge(frame) { terminal.passes($0, of: url.lastPathComponent) }
                let identity = Self.fields(of: name, page: reader.pageCount > 1 ? page : nil)
                table.add(Self.row(path, identity, judgement), severity: judgement.severity)
                try writeImages(judgement, path: path, page: page, pixelSize: reader.pixelSize)
            }
            return true
        } catch let error as TIFFError where error.code != .cannotWrite {
            let fields =
                [path] + Self.fields(of: name, page: nil) + Array(repeating: "", count: 6)
            let row = CSV.row(fields + [Verdict.unreadable.rawValue, "", "", "", ""])
            table.add(row, severity: .infinity)
            Terminal.note("\(error)")
            return false
        }
    }

    /// Run, well and frame, empty where the name does not tell; pages of a movie count on from the name's frame.
    private static func fields(of frame: FrameID?, page: Int?) -> [String] {
        guard let frame else { return ["", "", page.map { "\($0)" } ?? ""] }
        return [frame.run, frame.well.description, "\(frame.index + (page ?? 0))"]
    }

    private static func row(_ path: String, _ identity: [String], _ judgement: Judgement) -> String {
        let scores = judgement.scores.map { [$0.maximum, $0.mean, $0.patch] } ?? []
        let numbers = scores + [judgement.score, judgement.severity, judgement.threshold]
        let cause =
            judgement.verdict == .faulty
            ? [judgement.cause.cause.rawValue, judgement.cause.confidence.digits(3)] : ["", ""]
        let fields =
            [path] + identity + numbers.map { $0.digits(6) } + [
                judgement.verdict.rawValue, judgement.area.digits(6),
            ] + cause + [judgement.isSuspect ? "1" : "0"]
        return CSV.row(fields)
    }

    private func writeImages(_ judgement: Judgement, path: String, page: Int, pixelSize: PixelSize?) throws {
        let base = URL(filePath: path).deletingPathExtension().lastPathComponent
        let name = page == 0 ? base : "\(base)_p\(page)"
        guard let pictures = judgement.pictures else { return }
        if let masks {
            try TIFFWriter.write(pictures.mask, to: "\(masks)/\(name).mask.tiff", pixelSize: pixelSize)
        }
        if let maps {
            let map = pictures.map
            try TIFFWriter.write(
                Frame(height: map.height, width: map.width, pixels: map.values),
                to: "\(maps)/\(name).map.tiff",
                type: .float32,
                pixelSize: pixelSize
            )
        }
    }
}

/// The rows of `autoqc score` on standard output: as they come, or ranked at the end.
struct ScoreTable {
    private let isRanked: Bool
    private var held: [(severity: Double, row: String)] = []

    init(header: String, isRanked: Bool) {
        self.isRanked = isRanked
        Self.write(header)
    }

    /// Takes a row; a frame without a verdict is infinitely severe.
    mutating func add(_ row: String, severity: Double) {
        if isRanked { held.append((severity, row)) } else { Self.write(row) }
    }

    /// Prints what was held back, the most severe first; equals keep their order.
    mutating func finish() {
        let order = held.indices.sorted { (-held[$0].severity, $0) < (-held[$1].severity, $1) }
        for index in order { Self.write(held[index].row) }
        held = []
    }

    private static func write(_ line: String) {
        FileHandle.standardOutput.write(Data((line + "\n").utf8))
    }
}
