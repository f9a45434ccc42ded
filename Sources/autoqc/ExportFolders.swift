import ArgumentParser
import Dashboard
import Exporting
import Files
import Foundation
import Ledger
import Plate
import Reporting
import Rules
import Training

/// The forms of results that are folders.
struct ExportFolders: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Write a run as an OME-Zarr 0.5 plate with masks as labels into this folder.",
            valueName: "DIR"
        ),
        completion: .directory
    )
    var omeZarr: String?
    @Flag(help: "With --ome-zarr: flagged frames only.")
    var flaggedOnly = false
    @Option(
        help: ArgumentHelp(
            "Write the masks as label images (16-bit TIFF) into this folder.",
            valueName: "DIR"
        ),
        completion: .directory
    )
    var labelImages: String?
    @Option(
        help: ArgumentHelp(
            "Write the regions of the masks for ImageJ's ROI manager into this folder.",
            valueName: "DIR"
        ),
        completion: .directory
    )
    var rois: String?
    @Option(
        help: ArgumentHelp(
            "Write the records of a run as an RO-Crate into this folder, without the frames.",
            valueName: "DIR"
        ),
        completion: .directory
    )
    var crate: String?
    @Option(
        help: ArgumentHelp(
            "Write the files of each interval of usable frames as a list that ImageJ and Fiji open as a stack into this folder.",
            valueName: "DIR"
        ),
        completion: .directory
    )
    var stacks: String?
    @Option(
        help: ArgumentHelp(
            "Write a run for OMERO into this folder: wells as MIHCSME, faulty frames with their regions.",
            valueName: "DIR"
        ),
        completion: .directory
    )
    var omero: String?
    @Option(
        help: ArgumentHelp(
            "Write runs as sections of a report of MultiQC into this folder.",
            valueName: "DIR"
        ),
        completion: .directory
    )
    var multiqc: String?

    private var ofWholeRuns: [String?] { [omeZarr, labelImages, rois, crate, omero, multiqc] }

    /// Whether any is asked for.
    var isAsked: Bool { stacks != nil || ofWholeRuns.contains { $0 != nil } }

    /// Whether `--stacks` is asked for, and nothing else.
    var areStacksOnly: Bool { stacks != nil && ofWholeRuns.allSatisfy { $0 == nil } }

    /// Writes those that are asked for; fails at the end where anything had to be left out.
    func write(
        _ ledger: FrameLedger,
        tree: OutputTree,
        run: String?,
        well: Well?,
        usable: UsableOptions
    ) throws {
        var isWhole = true
        if let omeZarr { isWhole = try writePlate(ledger, tree, run, to: omeZarr) && isWhole }
        if let labelImages {
            isWhole = try writeMasks(.labels, ledger, tree, run, to: labelImages) && isWhole
        }
        if let rois { isWhole = try writeMasks(.rois, ledger, tree, run, to: rois) && isWhole }
        if let crate { isWhole = try writeCrate(ledger, tree, run, to: crate) && isWhole }
        if let omero { isWhole = try writeOmero(ledger, tree, run, to: omero) && isWhole }
        if let stacks {
            // The frames of a stack follow one another.
            let rule = usable.rule(bridged: 0)
            let tables = try UsableTables(ledger: ledger, tree: tree, run: run, well: well, rule: rule)
            isWhole = try writeStacks(tables, ledger, to: stacks) && isWhole
        }
        if let multiqc { try writeSections(ledger, tree, run, usable.rule(), to: multiqc) }
        guard isWhole else { throw ExitCode.failure }
    }

    private func writeSections(
        _ ledger: FrameLedger,
        _ tree: OutputTree,
        _ run: String?,
        _ rule: UsableFrames.Rule,
        to folder: String
    ) throws {
        let sections = try ReportSections(
            run: run,
            ledger: ledger,
            tree: tree,
            rule: rule,
            version: AutoQC.configuration.version,
            folder: folder
        )
        Terminal.note("\(folder): sections of \(try sections.write()) runs; call `multiqc` on it")
    }

    private func writeStacks(_ tables: UsableTables, _ ledger: FrameLedger, to folder: String) throws -> Bool
    {
        // Lists of intervals that are no more must not stay.
        guard (try? FileManager.default.contentsOfDirectory(atPath: folder))?.isEmpty ?? true else {
            throw DataError("\(folder): is not empty; name a new folder")
        }
        try OutputFolderPath.make(folder)
        let outcome = try StackLists.write(tables, ledger: ledger, to: folder)
        let left =
            outcome.leftOut > 0
            ? "; \(outcome.leftOut) intervals are pages of movies, which a list cannot name, and left out"
            : ""
        Terminal.note("\(folder): \(outcome.lists) lists of \(outcome.frames) usable frames\(left)")
        return outcome.leftOut == 0
    }

    private func writePlate(
        _ ledger: FrameLedger,
        _ tree: OutputTree,
        _ run: String?,
        to folder: String
    ) throws -> Bool {
        let run = try LedgerOptions.run(run, in: ledger)
        let archive = try PlateArchive(
            run: run,
            ledger: ledger,
            tree: tree,
            flaggedOnly: flaggedOnly,
            version: BuildInfo.version,
            folder: folder
        )
        var terminal = Terminal()
        let outcome = try archive.write { well, outcome in
            terminal.progress("\(well): \(outcome.frames) frames")
        }
        guard outcome.wells > 0 else {
            throw DataError("\(tree.root): no frame of run \(run) can be read; are its files still there?")
        }
        terminal.progress(
            "\(folder): run \(run), \(outcome.wells) wells, \(outcome.frames) frames, \(outcome.masks) masks"
                + (outcome.leftOut > 0
                    ? "; \(outcome.leftOut) frames whose files are gone or of another size left out" : ""),
            isLast: true
        )
        for (frame, paths) in outcome.shared.prefix(5) {
            Terminal.note(
                "\(frame): \(paths.count) files say this frame; their planes follow one another: "
                    + paths.joined(separator: ", ")
            )
        }
        if outcome.shared.count > 5 {
            Terminal.note("so do files of \(outcome.shared.count - 5) more frames")
        }
        return outcome.leftOut == 0
    }

    private func writeMasks(
        _ form: MaskFiles.Form,
        _ ledger: FrameLedger,
        _ tree: OutputTree,
        _ run: String?,
        to folder: String
    ) throws -> Bool {
        let files = try MaskFiles(
            form,
            run: run,
            ledger: ledger,
            tree: tree,
            version: BuildInfo.version,
            folder: folder
        )
        let outcome = try files.write()
        let left = outcome.leftOut > 0 ? "; \(outcome.leftOut) masks cannot be read" : ""
        let what = form == .labels ? "label images" : "archives of regions"
        Terminal.note("\(folder): \(outcome.written) \(what)\(left)")
        return outcome.leftOut == 0
    }

    private func writeCrate(
        _ ledger: FrameLedger,
        _ tree: OutputTree,
        _ run: String?,
        to folder: String
    ) throws -> Bool {
        let run = try LedgerOptions.run(run, in: ledger)
        let crate = try RunCrate(
            run: run,
            ledger: ledger,
            tree: tree,
            version: BuildInfo.version,
            folder: folder
        )
        var terminal = Terminal()
        let outcome = try crate.write(
            review: { path in
                guard let page = try ReviewPage(run: run, ledger: ledger, tree: tree) else { return }
                try OutputFile.write(text: page.html().text, to: path)
            },
            report: { terminal.progress("\($0): files read") }
        )
        terminal.progress("\(folder): run \(run), \(outcome.files) files", isLast: true)
        guard outcome.filesGone > 0 else { return true }
        Terminal.note("\(outcome.filesGone) files of frames are gone; the record has no digest of them")
        return false
    }

    private func writeOmero(
        _ ledger: FrameLedger,
        _ tree: OutputTree,
        _ run: String?,
        to folder: String
    ) throws -> Bool {
        let run = try LedgerOptions.run(run, in: ledger)
        let files = try OmeroFiles(
            run: run,
            ledger: ledger,
            tree: tree,
            version: BuildInfo.version,
            folder: folder
        )
        var terminal = Terminal()
        let outcome = try files.write { terminal.progress("\($0): faulty frames written") }
        let left = outcome.leftOut > 0 ? "; \(outcome.leftOut) whose files are gone left out" : ""
        terminal.progress("\(folder): run \(run), \(outcome.frames) faulty frames\(left)", isLast: true)
        return outcome.leftOut == 0
    }
}
