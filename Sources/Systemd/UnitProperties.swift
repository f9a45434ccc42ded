import Glibc

/// What the service manager knows of a unit (`systemctl show`): its file, the drop-ins, and what they set.
package struct UnitProperties: Sendable {
    private static let systemctl = "/usr/bin/systemctl"
    /// A manager that does not answer is no reason to wait longer.
    private static let patience = Duration.seconds(10)

    private let values: [String: String]

    /// Whether systemd manages the services of this machine.
    package static var isManaged: Bool { unsafe access("/run/systemd/system", F_OK) == 0 }

    /// Asks the service manager; `nil` where it cannot be asked.
    package static func asked(_ unit: String, _ names: [String]) -> UnitProperties? {
        let property = "--property=\(names.joined(separator: ","))"
        let program = ChildProgram(words: [systemctl, "show", property, "--", unit])
        guard let result = try? program.run(within: patience), result.status == 0, !result.isTimedOut else {
            return nil
        }
        return UnitProperties(text: result.output)
    }

    /// Reads `NAME=VALUE` lines.
    package init(text: String) {
        let lines = text.split(separator: "\n").map { $0.split(separator: "=", maxSplits: 1) }
        let pairs = lines.filter { !$0.isEmpty }.map { (String($0[0]), $0.count > 1 ? String($0[1]) : "") }
        values = Dictionary(pairs) { $1 }
    }

    /// The value of a property; empty where there is none.
    package subscript(name: String) -> String { values[name] ?? "" }

    /// The words of a value.
    package func words(_ name: String) -> [String] { self[name].split(separator: " ").map { String($0) } }
}
