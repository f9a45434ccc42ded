import Foundation
import Training

/// Checks, before the work begins, that its result can be written.
enum OutputPath {
    /// Refuses a file that could not be written at the end.
    static func check(_ path: String) throws {
        let url = URL(filePath: path)
        let folder = url.deletingLastPathComponent().path
        var isFolder: ObjCBool = false
        guard
            !(unsafe FileManager.default.fileExists(atPath: path, isDirectory: &isFolder))
                || !isFolder.boolValue
        else { throw DataError("\(path) is a folder; name a file in it") }
        guard unsafe FileManager.default.fileExists(atPath: folder, isDirectory: &isFolder),
            isFolder.boolValue
        else {
            throw DataError("\(folder): no such folder; make it, or correct the path of the output")
        }
        guard FileManager.default.isWritableFile(atPath: folder) else {
            throw DataError("\(folder) may not be written by this user; let it, or choose another output")
        }
    }

    /// Makes a folder with all above it.
    static func makeFolder(_ path: String) throws {
        do {
            try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        } catch {
            throw DataError("\(path): the folder cannot be made; check what is there and its permissions")
        }
    }
}
