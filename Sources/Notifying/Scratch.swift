import Foundation

/// Files for the time of an attempt.
enum Scratch {
    /// A folder with a file of some lines, which only this user may enter, for as long as `body` runs.
    static func with<Value>(_ lines: [String], named name: String, _ body: (_ folder: String) throws -> Value)
        throws -> Value
    {
        let manager = FileManager.default
        let folder = manager.temporaryDirectory.appending(path: "autoqc-\(UUID().uuidString)")
        try manager.createDirectory(
            at: folder,
            withIntermediateDirectories: false,
            attributes: [.posixPermissions: 0o700]
        )
        defer { try? manager.removeItem(at: folder) }
        try Data((lines.joined(separator: "\n") + "\n").utf8).write(to: folder.appending(path: name))
        return try body(folder.path)
    }
}
