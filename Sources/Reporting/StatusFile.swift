package import Files
import Foundation
import Plate

/// Time since the machine's start, which no change of the clock moves.
enum BootClock {
    static var seconds: Double {
        var time = timespec()
        unsafe clock_gettime(CLOCK_BOOTTIME, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
    }
}

/// The file in which a daemon says how it is, once a second, for processes that show it.
///
/// **Format.** One JSON object: `figures` (`DaemonFigures`), `written` (Unix time in ns), `uptime` (s since the machine's start),
/// `hasStopped`. It is replaced as a whole and never synced, so it belongs on a file system in memory, such as `/run`. It does not
/// lie in the output folder: there it could not say that this folder cannot be written.
package struct StatusFile: Sendable {
    /// What a reader learns of the daemon.
    package enum Standing: Sendable {
        /// It reports.
        case alive(DaemonFigures)
        /// It does not: why, and what it said last.
        case gone(reason: String, last: DaemonFigures?)
    }

    private struct Report: Codable {
        let figures: DaemonFigures
        let written: Timestamp
        let uptime: Double
        let hasStopped: Bool
    }

    /// A daemon that is silent for longer does not report, in s.
    package static let patience = 15.0
    /// A larger file is none of ours.
    private static let largest = 1 << 20

    /// Where it is.
    package let path: String

    /// Names the file; it is read and written later.
    package init(path: String) { self.path = path }

    /// Replaces what the file says.
    package func write(_ figures: DaemonFigures, hasStopped: Bool = false) throws(OutputError) {
        let encoder = JSONEncoder()
        encoder.nonConformingFloatEncodingStrategy = .convertToString(
            positiveInfinity: "inf",
            negativeInfinity: "-inf",
            nan: "nan"
        )
        let report = Report(
            figures: figures,
            written: .now,
            uptime: BootClock.seconds,
            hasStopped: hasStopped
        )
        guard let data = try? encoder.encode(report) else {
            throw OutputError("encode", path, detail: "a figure is no number", code: .notUsable)
        }
        try Durable.replaceUnsynced(path, with: Array(data))
    }

    /// What the file says now.
    package var standing: Standing {
        guard let file = try? Durable.Handle(path, flags: O_RDONLY | O_NONBLOCK),
            let size = try? file.size(), size <= Self.largest,
            let bytes = try? file.read(at: 0, count: size)
        else {
            return .gone(reason: "no daemon runs: there is no \(path)", last: nil)
        }
        let decoder = JSONDecoder()
        decoder.nonConformingFloatDecodingStrategy = .convertFromString(
            positiveInfinity: "inf",
            negativeInfinity: "-inf",
            nan: "nan"
        )
        guard let report = try? decoder.decode(Report.self, from: Data(bytes)) else {
            return .gone(reason: "no daemon is known: \(path) is no status of this autoqc", last: nil)
        }
        let time = report.written.iso8601
        if report.hasStopped { return .gone(reason: "the daemon stopped at \(time)", last: report.figures) }
        let silence = BootClock.seconds - report.uptime
        guard silence >= 0, silence < Self.patience else {
            return .gone(
                reason: "the daemon has not reported since \(time): it was killed, or does not get on",
                last: report.figures
            )
        }
        return .alive(report.figures)
    }
}
