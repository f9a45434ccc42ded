import Foundation
import Plate

/// The processors that this process may use.
package enum Processors {
    /// How many computations may run at once, at least 1: the least of what the affinity, the limits of the control groups (version 2)
    /// and Slurm's `SLURM_CPUS_PER_TASK` allow.
    package static var usable: Int {
        let groups = (try? String(contentsOfFile: "/proc/self/cgroup", encoding: .utf8)) ?? ""
        return usable(
            affinity: ProcessInfo.processInfo.activeProcessorCount,
            task: ProcessInfo.processInfo.environment["SLURM_CPUS_PER_TASK"],
            groups: groups
        ) { try? String(contentsOfFile: "/sys/fs/cgroup\($0)/cpu.max", encoding: .utf8) }
    }

    /// `groups` is `/proc/self/cgroup`; `limit` reads the `cpu.max` of a group.
    static func usable(affinity: Int, task: String?, groups: String, limit: (_ group: String) -> String?)
        -> Int
    {
        var counts = [affinity]
        if let task, let count = Int(task) { counts.append(count) }
        let own = groups.split(separator: "\n").first { $0.hasPrefix("0::/") }?.dropFirst(3) ?? ""
        var parts = own.split(separator: "/")
        while !parts.isEmpty {
            let numbers = (limit("/" + parts.joined(separator: "/")) ?? "").split(
                whereSeparator: \.isWhitespace
            )
            // `max 100000` for none, `150000 100000` for one and a half.
            if numbers.count == 2, let quota = Double(numbers[0]), let period = Double(numbers[1]), period > 0
            {
                counts.append(Int(saturating: (quota / period).rounded(.up)))
            }
            parts.removeLast()
        }
        return max(counts.min() ?? 1, 1)
    }
}
