import Foundation
import Plate

/// This program.
package enum BuildInfo {
    /// Its version, as `--version` prints it.
    package static let version = "0.2.0"
}

/// What a process takes of the machine, as Prometheus's clients count it.
package struct ProcessFigures: Sendable, Codable {
    /// Time on cores, in s.
    package let cpuSeconds: Double
    /// Memory in use, in bytes.
    package let residentBytes: Int
    /// Address space, in bytes.
    package let virtualBytes: Int
    /// Open files and sockets.
    package let openFiles: Int
    /// How many there may be; `nil` for any number.
    package let mostFiles: Int?
    /// When it began, in s of Unix time.
    package let started: Double

    /// Of this process; `nil` where `/proc` does not say.
    package static var own: ProcessFigures? {
        guard let stat = try? String(contentsOfFile: "/proc/self/stat", encoding: .utf8),
            let fields = fields(of: stat)
        else { return nil }
        let ticks = Double(max(1, sysconf(Int32(_SC_CLK_TCK))))
        var limit = rlimit()
        let isLimited =
            unsafe getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0
            && limit.rlim_cur != rlim_t.max
        let files = try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd")
        return ProcessFigures(
            cpuSeconds: (fields[11] + fields[12]) / ticks,
            residentBytes: Int(saturating: fields[21]).saturatingMultiply(
                max(1, sysconf(Int32(_SC_PAGESIZE)))
            ),
            virtualBytes: Int(saturating: fields[20]),
            openFiles: files?.count ?? 0,
            mostFiles: isLimited ? Int(clamping: limit.rlim_cur) : nil,
            started: Double(Timestamp.now.nanoseconds) / 1e9 - (BootClock.seconds - fields[19] / ticks)
        )
    }

    /// What stands behind the name, which may hold blanks and brackets: from field 3 of proc(5) on.
    private static func fields(of stat: String) -> [Double]? {
        guard let end = stat.lastIndex(of: ")") else { return nil }
        let fields = stat[end...].split(separator: " ").dropFirst().map { Double($0) ?? 0 }
        return fields.count > 21 ? fields : nil
    }
}
