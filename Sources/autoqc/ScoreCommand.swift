import Acquisition
import ArgumentParser
import Auditing
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
        abstract: "Judge frames and print one row each.",
        discussion: """
            The verdicts are those of the daemon, and the columns those of `autoqc export`. A file that \
            cannot be read gets a row with the verdict `unreadable` and a reason on standard error. --ranked \
            sorts by severity: calibrate a model on curated normal frames of a study, then look at all \
            others from the top.

            --out writes an output folder, which `audit`, `review`, `export` and `view` read. If the command \
            was killed, the same command goes on. --shard divides an archive among machines, and `autoqc \
            merge` joins the parts (docs/cluster.md).

            Exit status: 0 every frame has a verdict, 3 a frame is faulty and --fail-on-faulty was given, 64 \
            wrong usage, 65 files that could not be read, 66 no frames, 75 another autoqc writes DIR, 78 the \
            model cannot be used, 130 and 143 after SIGINT and SIGTERM, 1 any other error.

            There are scores and maps but no verdicts from a model without thresholds, and with \
            --published-scaling, --half-precision-noise, --noise-per-window or --noise-seeds, whose scores \
            are comparable with published ones.

            Examples:
              autoqc score --model complexeye.safetensors frames > scores.csv
              autoqc score --model complexeye.safetensors --masks masks --ranked frames
              autoqc score --model complexeye.safetensors --out part3 --shard 3/16 frames
            """
    )

    @Option(help: ArgumentHelp("The model file.", valueName: "FILE"), completion: .file())
    var model: String
    @Argument(
        help: ArgumentHelp(
            "Files, folders, globs or CSV lists of frames. - reads paths from standard input, one a line.",
            valueName: "PATH"
        ),
        completion: .file()
    )
    var paths: [String] = []
    @OptionGroup(title: "Options for archives and pipelines") var archive: ArchiveOptions
    @Option(
        help: ArgumentHelp("Folder for masks, NAME.mask.tiff, 0 and 255.", valueName: "DIR"),
        completion: .directory
    )
    var masks: String?
    @Option(
        help: ArgumentHelp("Folder for score maps, NAME.map.tiff, 32-bit float.", valueName: "DIR"),
        completion: .directory
    )
    var maps: String?
    @OptionGroup var output: TableOptions
    @Flag(help: "Print rows when all frames are judged: unreadable ones, then the most severe first.")
    var ranked = false
    @Flag(
        help:
            "Look at half of the patches, in turn with each frame of a well, as watch does while frames come too fast."
    )
    var half = false
    @Option(
        help: ArgumentHelp(
            "Overlap of a reference model's windows, from 0 to below 1, instead of the model's own.",
            valueName: "SHARE"
        ),
        transform: NumberOption.within(NumberOption.overlap)
    )
    var overlap: Double?
    @Option(help: ArgumentHelp(Precision.help, valueName: "NAME"))
    var precision = Precision.Choice.auto
    @Option(
        help: ArgumentHelp(
            "Pattern of file names, or the name of a known one (docs/names.md).",
            valueName: "PATTERN"
        )
    )
    var pattern = FramePattern.standard
    @OptionGroup(title: "Options to meet published numbers")
    var published: PublishedScoringOptions
    @OptionGroup var planes: PlaneOptions
    @OptionGroup var threads: ThreadOptions

    /// What frames are given to.
    private enum Scoring {
        case judged(Detector)
        case unjudged(UnjudgedScores)
    }

    func validate() throws {
        if paths.isEmpty, archive.filesFrom == nil {
            throw ValidationError("name frames, or a list with --files-from")
        }
        guard archive.out != nil else {
            if archive.shard != nil {
                throw ValidationError("--shard divides what goes to --out DIR; give that, too")
            }
            return
        }
        let others =
            [
                ("--masks", masks != nil), ("--maps", maps != nil), ("--ranked", ranked), ("--half", half),
                ("--overlap", overlap != nil),
            ].filter(\.1).map(\.0) + published.given
        guard others.isEmpty else {
            throw ValidationError("\(others.joined(separator: ", ")) cannot stand beside --out")
        }
    }

    func run() throws {
        Terminal.isQuiet = archive.quiet
        threads.apply()
        let names = try FramePattern(pattern)
        let scoring: Scoring = try ExitStatus.exiting(ExitStatus.configuration) { try self.scoring() }
        let paths = try ExitStatus.exiting(ExitStatus.noInput) { try archive.paths(self.paths) }
        guard let out = archive.out else { return try score(paths, scoring, names) }
        guard case .judged(let detector) = scoring else {
            Terminal.error("Error: \(model) has no thresholds; `autoqc calibrate` finds them")
            throw ExitCode(ExitStatus.configuration)
        }
        try ArchiveScoring(
            out: out,
            options: archive,
            detector: detector,
            modelPath: model,
            pattern: names,
            choice: planes.choice,
            form: output.form
        ).run(paths)
    }

    /// Judges frames and prints their rows.
    private func score(_ paths: [String], _ scoring: Scoring, _ names: FramePattern) throws {
        let detector: Detector? = if case .judged(let detector) = scoring { detector } else { nil }
        for folder in [masks, maps].compactMap({ $0 }) { try OutputFolderPath.make(folder) }
        let frames = paths.filter { path in
            names.match(path: path).map { planes.choice.admits($0.view) } ?? true
        }
        guard !frames.isEmpty else {
            Terminal.error("Error: there are no frames of the channel and z-plane that are judged")
            throw ExitCode(ExitStatus.noInput)
        }
        let outputs = OutputNames(frames)
        var table = try ScoreTable(
            hasSpreads: published.noiseSeeds != nil,
            output.form,
            isRanked: ranked
        )
        var warned: Set<String> = []
        var covered = CoveredTime(detector?.description.coverage)
        var (unreadable, files) = (0, 0)
        // A reference model keeps all cores busy with one frame, and tells how far it is.
        let width = detector?.description.realtime == nil ? 1 : Compute.threads
        for start in stride(from: 0, to: frames.count, by: width) {
            let paths = Array(frames[start..<min(start + width, frames.count)])
            let selections = paths.map { selection(for: names.match(path: $0), time: 0) }
            var ahead: [Ahead] = []
            if width > 1, let detector {
                ahead = Compute.concurrentMap(paths.count) {
                    Ahead(paths[$0], choice: planes.choice, selections[$0], judgedBy: detector)
                }
            }
            for (index, path) in paths.enumerated() {
                let judged = ahead.isEmpty ? nil : ahead[index].judgement
                let gaps = try score(
                    path,
                    with: scoring,
                    judged: judged,
                    names: names,
                    outputs: outputs,
                    into: &table,
                    warned: &warned,
                    covered: &covered
                )
                unreadable += gaps
                if gaps > 0 { files += 1 }
            }
        }
        try table.finish()
        for line in covered.lines { Terminal.note(line) }
        guard unreadable == 0 else {
            Terminal.note(
                files == unreadable
                    ? "\(files) of \(frames.count) files could not be read, or not as a whole"
                    : "\(unreadable) frames in \(files) of \(frames.count) files could not be read"
            )
            throw ExitCode(ExitStatus.unreadable)
        }
        if archive.failOnFaulty, table.faulty > 0 { throw ExitCode(ExitStatus.faulty) }
    }

    /// A file's only frame, judged beside others; a movie or a file that cannot be read is judged in order.
    private struct Ahead: Sendable {
        let judgement: Judgement?

        init(
            _ path: String,
            choice: PlaneChoice,
            _ patches: PatchSelection,
            judgedBy detector: Detector
        ) {
            let reader = try? TIFFReader(path: path, choice: choice)
            let only = reader?.frames.count == 1 ? reader?.frames.first : nil
            let frame = only.flatMap { try? reader?.frame(page: $0.page) }
            judgement = frame.map { detector.judge($0, patches: patches) }
        }
    }

    /// The patches to look at in a frame of a name and a time in its file.
    private func selection(for frame: FrameID?, time: Int) -> PatchSelection {
        half ? .half(forFrame: frame?.later(by: time).index ?? time) : .all
    }

    private func scoring() throws -> Scoring {
        var (loaded, name) = try Model.read(path: model)
        if let overlap { try loaded.setOverlap(overlap) }
        let hasThresholds = !loaded.description.calibrations.isEmpty
        guard hasThresholds, published.given.isEmpty else {
            let needing = [("--masks", masks != nil), ("--half", half)].filter(\.1).map(\.0)
            guard needing.isEmpty else {
                throw ValidationError(
                    hasThresholds
                        ? "\(needing.joined(separator: ", ")) cannot stand beside \(published.given.joined(separator: ", ")), which "
                            + "the thresholds were not found with"
                        : "\(model) has no thresholds, which \(needing.joined(separator: ", ")) takes; `autoqc calibrate` finds them"
                )
            }
            Terminal.note(
                "scores and maps only, no verdicts: "
                    + (hasThresholds
                        ? "the thresholds were found without \(published.given.joined(separator: ", "))"
                        : "the model has no thresholds; `autoqc calibrate \(model) --normal FOLDER` finds them")
            )
            return .unjudged(
                try UnjudgedScores(
                    loaded,
                    name: name,
                    path: model,
                    precision: precision.precision,
                    options: published
                )
            )
        }
        if overlap != nil {
            Terminal.note(
                "the thresholds were found at the model's own overlap; `autoqc calibrate` finds others"
            )
        }
        return .judged(
            try Detector(model: loaded, name: name, path: model, precision: precision.precision)
        )
    }

    /// Prints a row for each frame, and one for those that are not there; returns how many rows have no verdict.
    private func score(
        _ path: String,
        with scoring: Scoring,
        judged: Judgement?,
        names: FramePattern,
        outputs: OutputNames,
        into table: inout ScoreTable,
        warned: inout Set<String>,
        covered: inout CoveredTime
    ) throws -> Int {
        let url = URL(filePath: path)
        let folder = url.deletingLastPathComponent()
        let name = names.match(path: path)
        func source(page: Int) -> FrameSource {
            FrameSource(root: "", path: ExactPath.absolute(path).text, page: page)
        }
        func addGap(page: Int, time: Int, _ reason: String) throws {
            let row = FrameTable.Row(source(page: page), name?.later(by: time), unreadable: reason)
            try table.add(row, severity: .infinity)
            Terminal.note(reason)
        }
        let reader: TIFFReader
        do throws(TIFFError) { reader = try TIFFReader(path: path, choice: planes.choice) } catch {
            try addGap(page: 0, time: 0, "\(error)")
            return 1
        }
        if let note = reader.note, warned.insert("\(folder.path)\n\(note)").inserted {
            Terminal.note("\(path): \(note)")
        }
        if reader.frames.isEmpty, reader.missing == nil {
            Terminal.note("\(path): it has no plane of the channel and z-plane that are judged")
        }
        let presence = try reader.presence(isFinished: true)
        var terminal = Terminal()
        var gaps = 0
        for point in presence.there {
            let frame: Frame
            do throws(TIFFError) { frame = try reader.frame(page: point.page) } catch {
                try addGap(page: point.page, time: point.time, "\(error)")
                gaps += 1
                continue
            }
            let (source, id) = (source(page: point.page), name?.later(by: point.time))
            let output = outputs.name(path, page: point.page)
            let detector: Detector
            switch scoring {
            case .judged(let found): detector = found
            case .unjudged(let scores):
                let result = scores.score(frame) { terminal.passes($0, of: url.lastPathComponent) }
                let row = FrameTable.Row(
                    source,
                    id,
                    result.scores,
                    spread: result.spread,
                    model: scores.modelName
                )
                try table.add(row, severity: result.scores.patch)
                try writeMap(result.map, name: output, pixelSize: reader.pixelSize)
                continue
            }
            if let warning = detector.warning(for: frame), warned.insert(warning).inserted {
                Terminal.note(warning)
            }
            var judgement =
                judged
                ?? detector.judge(frame, patches: selection(for: name, time: point.time)) {
                    terminal.passes($0, of: url.lastPathComponent)
                }
            if let id { covered.add(id, judgement) }
            judgement.tier = half ? .half : .full
            judgement.precision = detector.precisionName
            if judgement.verdict == .faulty { table.faulty += 1 }
            let mask = try writeImages(judgement, name: output, pixelSize: reader.pixelSize)
            try table.add(
                FrameTable.Row(source, id, judgement, mask: mask, model: detector.modelName),
                severity: judgement.severity
            )
        }
        // What has not been written: one row for all of it.
        if let missing = presence.missing {
            try addGap(page: missing.frame.page, time: missing.frame.time, "\(missing.error)")
            let there = Set(presence.there)
            let pages = reader.frames.filter { !there.contains($0) }.map { "\($0.page)" }
            let from =
                pages.isEmpty ? "page \(missing.frame.page) on" : "pages \(pages.joined(separator: ", "))"
            Terminal.note("\(path): there is no verdict for \(from)")
            gaps += 1
        }
        return gaps
    }

    /// Writes what is asked for, and returns the mask's path.
    private func writeImages(_ judgement: Judgement, name: String, pixelSize: PixelSize?) throws -> String? {
        guard let pictures = judgement.pictures else { return nil }
        try writeMap(pictures.map, name: name, pixelSize: pixelSize)
        guard let masks else { return nil }
        let path = ExactPath.absolute("\(masks)/\(name).mask.tiff").text
        try TIFFWriter.write(pictures.mask, to: path, pixelSize: pixelSize)
        return path
    }

    private func writeMap(_ map: ScoreMap, name: String, pixelSize: PixelSize?) throws {
        guard let maps else { return }
        try TIFFWriter.write(
            Frame(height: map.height, width: map.width, pixels: map.values),
            to: "\(maps)/\(name).map.tiff",
            type: .float32,
            pixelSize: pixelSize
        )
    }
}
