package import ArgumentParser
import Foundation
package import Simulation
import Tables

extension PlateWriter: ExpressibleByArgument {}
extension PlateLayout: ExpressibleByArgument {}

/// `autoqc simulate plate`.
struct SimulatePlateCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "plate",
        abstract: "Play a plate in real time, as the microscope would write it, and record the truth.",
        discussion: """
            Frames are TIFF (Deflate, OME-XML), wells those that 16 lenses scan in a 384-well plate. The truth about every \
            frame (fault, severity, when its file was closed) goes to a CSV file beside DIR, for `autoqc simulate check`. \
            Writers: plain (open, write, close), slow (pieces with pauses), rename (temporary name first), burst (a whole \
            scan at once). Layouts: flat (RUN_WELL_fFRAME.tiff), per-well (a folder each), movie (a file of many pages \
            each, closed at the end). Ctrl-C ends with whole files.
            """
    )

    @Option(help: "The folder that the microscope writes to; made if it is missing.")
    var out: String
    @Option(help: "Where the truth goes (default: truth.csv beside DIR).")
    var truth: String?
    @Option(help: "Wells, 1 to 384.")
    var wells = PlateSettings().wells
    @Option(help: "Seconds from one frame of a well to the next, in the plate's time.")
    var interval = PlateSettings().interval
    @Option(help: "Frames of each well; the default is an hour of them at 8 s.")
    var frames = PlateSettings().frames
    @Option(help: "How much faster than real time.")
    var speed = PlateSettings().speed
    @Option(help: "Everything random follows from here.")
    var seed = PlateSettings().seed
    @Option(help: "YAML that says which faults come and go in which wells (default: a few wells with each).")
    var faults: String?
    @Option(help: "How files come into being: plain, slow, rename or burst.")
    var writer = PlateSettings().writer
    @Option(help: "Which frames go into which files: flat, per-well or movie.")
    var layout = PlateSettings().layout
    @Option(name: .customLong("run"), help: "Name of the run, for file names.")
    var name = PlateSettings().run
    @Option(help: "Columns of a frame: the same scale on another field.")
    var width = PlateSettings().width
    @Option(help: "Rows of a frame.")
    var height = PlateSettings().height

    private var settings: PlateSettings {
        PlateSettings(
            wells: wells,
            interval: interval,
            frames: frames,
            speed: speed,
            seed: seed,
            run: name,
            writer: writer,
            layout: layout,
            height: height,
            width: width
        )
    }

    func validate() throws {
        if let fault = settings.fault { throw ValidationError(fault) }
    }

    func run() throws {
        let folder = URL(filePath: out).standardizedFileURL
        let truth = truth ?? folder.deletingLastPathComponent().appending(path: "truth.csv").path
        let player = try PlatePlayer(
            settings,
            script: try faults.map { try FaultScript.load(path: $0) },
            folder: folder.path,
            truth: truth
        )
        let interruption = Interruption()
        var terminal = Terminal()
        let summary = try player.run(isInterrupted: { interruption.isRequested }) { progress in
            let late = progress.lateness > 0.5 ? ", \(progress.lateness.digits(1)) s late" : ""
            terminal.progress(
                "frame \(progress.frames)/\(progress.count)\(late)",
                isLast: progress.frames == progress.count
            )
        }
        for line in Self.sentences(summary, truth) { Terminal.note(line) }
    }

    private static func sentences(_ summary: PlateSummary, _ truth: String) -> [String] {
        var lines = [
            "\(summary.frames) of \(summary.expected) frames in \(Terminal.duration(summary.seconds)), "
                + "\(summary.faulty) of them faulty; \(summary.rate.digits(2)) frames/s of "
                + "\(summary.askedRate.digits(2)) asked for; truth in \(truth)"
        ]
        if summary.endedEarly {
            lines.append("ended early, with whole files")
        } else if !summary.heldRate {
            lines.append(
                "some frames came up to \(summary.greatestLateness.digits(1)) s late; "
                    + "ask for fewer wells or less --speed, or give this machine less else to do"
            )
        }
        return lines
    }
}
