import Glibc

/// What the service manager knows of a unit (`systemctl show`): its file, the drop-ins, and what they set.
package struct UnitProperties: Sendable {
    private static let systemctl = "/usr/bin/systemctl"

    private let values: [String: String]

    /// Whether systemd manages the services of this machine.
    package static var isManaged: Bool { unsafe access("/run/systemd/system", F_OK) == 0 }

    /// Asks the service manager; `nil` where it cannot be asked.
    package static func asked(_ unit: String, _ names: [String]) -> UnitProperties? {
        let property = "--property=\(names.joined(separator: ","))"
        return output(of: [systemctl, "show", property, "--", unit]).map {
            UnitProperties(text: String(decoding: $0, as: UTF8.self))
        }
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

    /// What a program prints; `nil` where it fails.
    ///
    /// Not by Foundation's `Process`, which does not see the end of a program in the daemon's sandbox.
    private static func output(of arguments: [String]) -> [UInt8]? {
        var ends: [Int32] = [-1, -1]
        guard unsafe pipe(&ends) == 0 else { return nil }
        defer { close(ends[0]) }
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        var actions = unsafe posix_spawn_file_actions_t()
        unsafe posix_spawn_file_actions_init(&actions)
        defer { unsafe posix_spawn_file_actions_destroy(&actions) }
        unsafe posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0)
        unsafe posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO)
        unsafe posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0)
        var words = unsafe arguments.map { unsafe strdup($0) } + [nil]
        defer { unsafe words.forEach { unsafe free($0) } }
        var process: pid_t = 0
        let status = unsafe posix_spawn(&process, arguments[0], &actions, nil, &words, environ)
        close(ends[1])
        guard status == 0 else { return nil }
        let bytes = read(from: ends[0])
        var end: Int32 = 0
        while unsafe waitpid(process, &end, 0) < 0, errno == EINTR {}
        return end == 0 ? bytes : nil
    }

    private static func read(from descriptor: Int32) -> [UInt8] {
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 4096)
        while true {
            let count = unsafe Glibc.read(descriptor, &buffer, buffer.count)
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { return bytes }
            bytes += buffer[..<count]
        }
    }
}
