import Foundation
import GRDB
package import Reporting
import Systemd

/// What can be said of receivers without telling them anything, for `autoqc doctor`.
package struct NotificationCheck: Sendable, Equatable {
    /// Name of the receiver.
    package let name: String
    /// What was found, a sentence.
    package let finding: String
    /// What to do; `nil` where there is nothing to do.
    package let remedy: String?

    /// Looks at each receiver's program and at what waits for it.
    package static func all(of targets: [NotificationTarget], in tree: OutputTree) -> [NotificationCheck] {
        let waiting = waiting(in: tree)
        return targets.map { target in
            guard ChildProgram.file(of: target.program) != nil else {
                return NotificationCheck(
                    name: target.name,
                    finding: "\(target.program) is not there, or may not be run",
                    remedy: "install it: events wait until it is there"
                )
            }
            let count = waiting[target.name] ?? 0
            guard count > 0 else {
                return NotificationCheck(name: target.name, finding: "nothing waits to be told", remedy: nil)
            }
            return NotificationCheck(
                name: target.name,
                finding: "\(count) events wait to be told",
                remedy:
                    "try `autoqc notify --config FILE --test \(target.name)`, and read the log of autoqc-notify@NAME"
            )
        }
    }

    private static func waiting(in tree: OutputTree) -> [String: Int] {
        guard FileManager.default.fileExists(atPath: tree.notifications) else { return [:] }
        var configuration = Configuration()
        configuration.readonly = true
        configuration.busyMode = .timeout(10)
        // What cannot be read says nothing here; the process that writes it says so in its log.
        let rows = try? DatabaseQueue(path: tree.notifications, configuration: configuration).read {
            database in
            try Row.fetchAll(
                database,
                sql: "SELECT target, count(*) FROM deliveries WHERE state = 'waiting' GROUP BY target"
            )
        }
        return (rows ?? []).reduce(into: [:]) { $0[$1[0] as String] = $1[1] as Int }
    }
}
