import ArgumentParser
import Files
import Foundation
package import Simulation
import Tables

extension PlateWriter: ExpressibleByArgument {}
extension PlateLayout: ExpressibleByArgument {}

struct SimulatePlateCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "plate",
        abstract: "Write a simulated plate in real time, with a table of its faults.",
        discussion: """
            Frames are TIFF files (Deflate, OME-XML) of the wells that 16 lenses scan in a 384-well plate. A \
            CSV file beside DIR has the truth about every frame: fault, strength, and when its file was \
            closed. `autoqc simulate check` reads it. Writers: plain (open, write, close), slow (pieces with \
            pauses), rename (a temporary name first), burst (a whole scan at once). Layouts: flat \
            (RUN_WELL_fFRAME.tiff), per-well (a folder for each well), movie (one file of many pages for \
            each well). Ctrl-C ends with complete files.

            Examples:
              autoqc simulate plate --out /data/complexeye --wells 64 --frames 450
              autoqc simulate plate --out /data/complexeye --run 02 --truth truth.csv \\
                  --wells 24 --faults faults.yaml --frames 4 --speed 100
            """
    )

    @Option(
        help: ArgumentHelp(
            "The folder that the microscope writes to; made if it is missing.",
            valueName: "DIR"
        ),
        completion: .directory
    )
    var out: String
    @Option(
        help: ArgumentHelp("Where the truth goes (default: truth.csv beside DIR).", valueName: "FILE"),
        completion: .file()
    )
    var truth: String?
    @Option(help: ArgumentHelp("Wells, 1 to 384.", valueName: "N"))
    var wells = PlateSettings().wells
    @Option(
        help: ArgumentHelp(
            "Seconds from one frame of a well to the next, in the plate's time.",
            valueName: "SECONDS"
        )
    )
    var interval = PlateSettings().interval
    @Option(help: ArgumentHelp("Frames of each well; the default is an hour of them at 8 s.", valueName: "N"))
    var frames = PlateSettings().frames
    @Option(help: ArgumentHelp("How much faster than real time.", valueName: "FACTOR"))
    var speed = PlateSettings().speed
    @Option(help: ArgumentHelp("Seed of everything random.", valueName: "N"))
    var seed = PlateSettings().seed
    @Option(
        help: ArgumentHelp(
            "YAML that says which faults come and go in which wells (default: a few wells with each).",
            valueName: "FILE"
        ),
        completion: .file()
    )
    var faults: String?
    @Option(help: ArgumentHelp("The way files are written: plain, slow, rename or burst.", valueName: "NAME"))
    var writer = PlateSettings().writer
    @Option(
        help: ArgumentHelp("Which frames go into which files: flat, per-well or movie.", valueName: "NAME")
    )
    var layout = PlateSettings().layout
    @Option(
        name: .customLong("run"),
        help: ArgumentHelp("Name of the run, for file names.", valueName: "RUN")
    )
    var name = PlateSettings().run
    @Option(help: ArgumentHelp("Columns of a frame: the same scale on another field.", valueName: "PIXELS"))
    var width = PlateSettings().width
    @Option(help: ArgumentHelp("Rows of a frame.", valueName: "PIXELS"))
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
        if let problem = settings.problem { throw ValidationError(problem) }
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

struct SimulateCheckCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check",
        abstract: "Compare the verdicts of `autoqc watch` with the truth about a simulated plate.",
        discussion: """
            It joins the ledger with truth.csv and prints recall and precision, the time from the onset of a \
            fault to its ONSET line, the latency of judgements and alarms, and frames that were missed or \
            judged twice. Without a ledger it reads the alarm logs. It exits with 0 only if no frame was \
            missed and every limit that was given holds.

            Examples:
              autoqc simulate check --out /srv/autoqc --truth truth.csv
              autoqc simulate check --out /srv/autoqc --truth truth.csv --min-recall 0.9
            """
    )

    @Option(
        help: ArgumentHelp("The output folder of `autoqc watch`.", valueName: "DIR"),
        completion: .directory
    )
    var out: String
    @Option(
        help: ArgumentHelp("The truth that `autoqc simulate plate` wrote.", valueName: "FILE"),
        completion: .file()
    )
    var truth: String
    @OptionGroup var output: JSONOptions
    @Flag(help: "Use the alarm logs alone; which frames were missed is then not known, and no failure.")
    var alarmsOnly = false
    @Option(
        help: ArgumentHelp("Least share of faulty frames found, 0 to 1.", valueName: "SHARE"),
        transform: NumberOption.within(0...1)
    )
    var minRecall: Double?
    @Option(
        help: ArgumentHelp("Least share of right alarms, 0 to 1.", valueName: "SHARE"),
        transform: NumberOption.within(0...1)
    )
    var minPrecision: Double?
    @Option(
        help: ArgumentHelp("Largest share of normal frames taken for faulty, 0 to 1.", valueName: "SHARE"),
        transform: NumberOption.within(0...1)
    )
    var maxFalseAlarms: Double?
    @Option(
        help: ArgumentHelp(
            "Largest 99th percentile from a file's end to its judgement, in s.",
            valueName: "SECONDS"
        ),
        transform: NumberOption.within(NumberOption.seconds)
    )
    var maxP99: Double?

    func run() throws {
        try output.check()
        let rows = try TruthRow.load(path: truth)
        let folder = URL(filePath: out).standardizedFileURL.path
        let report = try PlateCheck.report(folder: folder, truth: rows, alarmsOnly: alarmsOnly)
        try output.say(report.table)
        try output.write(report)
        let limits = CheckLimits(
            recall: minRecall,
            precision: minPrecision,
            falseAlarmRate: maxFalseAlarms,
            latency99: maxP99,
            allowsUnknown: alarmsOnly
        )
        let shortcomings = limits.shortcomings(of: report)
        for sentence in shortcomings { Terminal.note("limit not kept: \(sentence)") }
        if !shortcomings.isEmpty { throw ExitCode.failure }
    }
}
