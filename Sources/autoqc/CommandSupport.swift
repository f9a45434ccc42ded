import ArgumentParser
import Detection
import Diffusion
import Files
import Foundation
import Plate
import Synchronization
import Systemd
package import Tensors
import Training

/// Output of the commands for a person: one line that is rewritten on a terminal, plain lines elsewhere.
struct Terminal {
    /// Whether a person may be looking.
    static let isShown = isatty(STDERR_FILENO) == 1
    private static let silenced = Atomic(false)

    /// Whether notes and progress are left out, and only errors said.
    static var isQuiet: Bool {
        get { silenced.load(ordering: .relaxed) }
        set { silenced.store(newValue, ordering: .relaxed) }
    }

    private let clock = ContinuousClock()
    private var last: ContinuousClock.Instant?
    /// Time between two lines where the output is no terminal.
    private static let quietInterval = Duration.seconds(15)

    /// Shows the progress of a long command.
    mutating func progress(_ line: String, isLast: Bool = false) {
        guard !Self.isQuiet else { return }
        if Self.isShown {
            Self.write("\r\u{1B}[K\(line)\(isLast ? "\n" : "")")
        } else if isLast || last.map({ clock.now - $0 >= Self.quietInterval }) ?? true {
            // The next stage's first line is shown at once.
            last = isLast ? nil : clock.now
            Self.write(line + "\n")
        }
    }

    /// Shows the progress of the passes over a frame, where there are more than a few.
    mutating func passes(_ progress: ReconstructionProgress, of frame: String) {
        guard Self.isShown, progress.all > Self.silentPasses else { return }
        self.progress(
            "\(frame): pass \(progress.done)/\(progress.all)  \(Self.duration(progress.secondsLeft)) left"
        )
    }

    private static let silentPasses = 4

    static func reporter() -> (WorkReport) -> Void {
        var terminal = Terminal()
        return { report in
            switch report {
            case .progress(let line, let isLast): terminal.progress(line, isLast: isLast)
            case .passes(let progress, let frame): terminal.passes(progress, of: frame)
            case .note(let line): note(line)
            }
        }
    }

    static func note(_ line: String) { if !isQuiet { error(line) } }

    /// Says what went wrong, also where notes are left out.
    static func error(_ line: String) { write(line + "\n") }

    /// Writes a line of a command's result to standard output.
    static func say(_ line: String) throws { try StandardStreams.write(line + "\n") }

    private static func write(_ text: String) { StandardStreams.note(text) }

    static func duration(_ seconds: Double) -> String {
        let whole = Int(saturating: seconds.rounded())
        let parts = (whole / 3600, whole / 60 % 60, whole % 60)
        let two = { (value: Int) in value < 10 ? "0\(value)" : "\(value)" }
        return parts.0 > 0 ? "\(parts.0):\(two(parts.1)):\(two(parts.2))" : "\(parts.1):\(two(parts.2))"
    }
}

/// Notices SIGINT and SIGTERM, so that a long command can stop at a good place.
final class Interruption: Sendable {
    private let signal = Atomic<Int32>(0)

    /// Takes the two signals over from here on.
    init() {
        ProcessSignals.listen(to: [SIGINT, SIGTERM]) { [weak self] number in
            self?.signal.store(number, ordering: .relaxed)
        }
    }

    /// Lets the two signals end the process again.
    func release() { ProcessSignals.release([SIGINT, SIGTERM]) }

    var isRequested: Bool { signal.load(ordering: .relaxed) != 0 }

    /// The exit status of a program that a signal ends, where one came: 130 or 143.
    var status: Int32? {
        let number = signal.load(ordering: .relaxed)
        return number == 0 ? nil : 128 + number
    }
}

/// Folders that a user names for results.
enum OutputFolderPath {
    /// Makes a folder with all above it.
    static func make(_ path: String) throws {
        do {
            try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        } catch {
            throw DataError("\(path): the folder cannot be made; check what is there and its permissions")
        }
    }
}

/// The number of threads of a command that computes.
struct ThreadOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Threads (default: all cores that the process may use). `SLURM_CPUS_PER_TASK` sets the default, too.",
            valueName: "N"
        ),
        transform: NumberOption.within(NumberOption.threads)
    )
    var threads: Int?

    func apply() {
        SessionPriority.follow()
        Compute.setThreads(threads ?? min(Compute.threads, Processors.usable))
    }
}

/// The priority of a session against others.
///
/// Linux divides the processors among sessions before it looks at their processes (sched(7), autogroup): a training at lowest
/// priority takes as much as a daemon that was started in another session.
private enum SessionPriority {
    private static let group = "/proc/self/autogroup"

    /// Gives its session the lowest priority where the command has it; where a terminal would keep that, says how.
    static func follow() {
        guard isLowest, FileManager.default.fileExists(atPath: group) else { return }
        guard !hasTerminal else {
            Terminal.note(
                "this session shares the processors with others alike, whatever its priority; "
                    + "`echo 19 > /proc/$$/autogroup` in this shell lets them go first"
            )
            return
        }
        try? FileHandle(forWritingAtPath: group)?.write(contentsOf: Data("19".utf8))
    }

    /// `SCHED_IDLE`, or the last of the nice values; of the first thread, as libdispatch gives others a nice value of its own.
    private static var isLowest: Bool {
        let process = getpid()
        return sched_getscheduler(process) == 5
            || getpriority(__priority_which_t(PRIO_PROCESS.rawValue), id_t(process)) == 19
    }

    private static var hasTerminal: Bool {
        let terminal = unsafe open("/dev/tty", O_RDONLY | O_NOCTTY | O_CLOEXEC)
        if terminal >= 0 { close(terminal) }
        return terminal >= 0
    }
}

/// Which channel and z-plane of stacks are read.
struct PlaneOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Channel of files with several, by name or by number from 1 (default: the first).",
            valueName: "NAME"
        )
    )
    var channel: String?
    @Option(
        help: ArgumentHelp(
            "z-plane of files with several, by number from 1. `auto` is the middle one, `time` takes z for time.",
            valueName: "PLANE"
        )
    )
    var plane = PlaneChoice.Plane.middle

    var choice: PlaneChoice {
        PlaneChoice(channel: channel.flatMap { PlaneChoice.channel($0) }, plane: plane)
    }
}

extension PlaneChoice.Plane: ExpressibleByArgument {
    init?(argument: String) { self.init(argument) }
    var defaultValueDescription: String { text }
}

extension FrameSet {
    func noteUnreadable() {
        for note in notes.prefix(5) { Terminal.note(note) }
        for reason in unreadable.prefix(5) { Terminal.note("skipped: \(reason)") }
        if !unreadable.isEmpty { Terminal.note("\(unreadable.count) unreadable files skipped") }
    }
}

extension Precision: ExpressibleByArgument {}

extension Precision {
    enum Choice: String, ExpressibleByArgument, CaseIterable {
        case auto
        case f32
        case bf16
        case int8

        /// The precision; `nil` for the automatic one.
        var precision: Precision? { Precision(rawValue: rawValue) }
    }

    static let help =
        "auto (what the model prefers, else bf16 where the CPU has it, else f32), f32, bf16 or int8."
}
