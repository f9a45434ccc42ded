import Foundation

/// The folder that a plate is written into.
struct PlateFolder {
    /// What the daemon passes over without a word.
    static let temporarySuffix = ".part"

    private let root: String

    /// Makes the folder; one with other files in it is as good.
    init(_ root: String) throws(SimulationError) {
        self.root = root
        try Self.make(root)
    }

    /// Path of a frame's file; makes the well's folder.
    func path(of step: PlatePlan.Step) throws(SimulationError) -> String {
        let path = "\(root)/\(step.path)"
        let folder = URL(filePath: path).deletingLastPathComponent().path
        if step.path.contains("/"), !FileManager.default.fileExists(atPath: folder) { try Self.make(folder) }
        return path
    }

    private static func make(_ folder: String) throws(SimulationError) {
        do {
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        } catch {
            throw SimulationError("\(folder): cannot be made (\(error.localizedDescription)); check the path")
        }
    }

    /// Whether a file would lie within a folder, links followed.
    static func holds(_ folder: String, _ file: String) -> Bool {
        let resolved = { (path: String) in
            URL(filePath: path).standardizedFileURL.resolvingSymlinksInPath().path
        }
        // The file is not there yet, so that its own name holds no link.
        let parent = resolved(URL(filePath: file).standardizedFileURL.deletingLastPathComponent().path)
        let root = resolved(folder)
        return parent == root || parent.hasPrefix(root == "/" ? root : root + "/")
    }
}
