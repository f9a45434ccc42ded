import Detection
import Foundation

/// What the commands say to a person: one line that is rewritten on a terminal, plain lines elsewhere.
struct Terminal {
    private let isTerminal = isatty(STDERR_FILENO) == 1
    private let clock = ContinuousClock()
    private var last: ContinuousClock.Instant?
    /// Elsewhere than on a terminal a line this often is enough.
    private static let quietInterval = Duration.seconds(15)

    /// Shows how far a long command is.
    mutating func progress(_ line: String, isLast: Bool = false) {
        if isTerminal {
            Self.write("\r\u{1B}[K\(line)\(isLast ? "\n" : "")")
        } else if isLast || last.map({ clock.now - $0 >= Self.quietInterval }) ?? true {
            last = clock.now
            Self.write(line + "\n")
        }
    }

    /// Shows how far the passes over a frame are, where there are enough of them to wait for.
    mutating func passes(_ progress: ReconstructionProgress, of frame: String) {
        guard progress.all > Self.silentPasses else { return }
        self.progress(
            "\(frame): pass \(progress.done)/\(progress.all)  \(Self.duration(progress.secondsLeft)) left"
        )
    }

    private static let silentPasses = 4

    /// Says something worth a line of its own.
    static func note(_ line: String) { write(line + "\n") }

    /// Prints a line that is what a command was asked for.
    static func say(_ line: String) { FileHandle.standardOutput.write(Data((line + "\n").utf8)) }

    private static func write(_ text: String) {
        // Nobody may listen any more: no reason to stop.
        try? FileHandle.standardError.write(contentsOf: Data(text.utf8))
    }

    /// Hours, minutes and seconds.
    static func duration(_ seconds: Double) -> String {
        let whole = Int(seconds.rounded())
        let parts = (whole / 3600, whole / 60 % 60, whole % 60)
        let two = { (value: Int) in value < 10 ? "0\(value)" : "\(value)" }
        return parts.0 > 0 ? "\(parts.0):\(two(parts.1)):\(two(parts.2))" : "\(parts.1):\(two(parts.2))"
    }
}
