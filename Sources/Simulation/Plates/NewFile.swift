import Foundation

/// A file that did not exist before, being written.
struct NewFile {
    private let handle: FileHandle
    private let path: String

    /// Makes the file; throws where there is one of this name already.
    init(_ path: String, appends: Bool = false) throws(SimulationError) {
        let flags = O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | (appends ? O_APPEND : 0)
        let descriptor = unsafe open(path, flags, 0o644)
        guard descriptor >= 0 else {
            let reason = unsafe String(cString: strerror(errno))
            let remedy =
                errno == EEXIST ? "it is there already; name another folder, run or truth file" : reason
            throw SimulationError("\(path): cannot be made: \(remedy)")
        }
        handle = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
        self.path = path
    }

    /// Writes bytes behind those before.
    func write(_ data: Data) throws(SimulationError) {
        do {
            try handle.write(contentsOf: data)
        } catch {
            throw SimulationError("\(path): cannot be written (\(error.localizedDescription))")
        }
    }

    /// Ends the file.
    func close() throws(SimulationError) {
        do {
            try handle.close()
        } catch {
            throw SimulationError("\(path): cannot be closed (\(error.localizedDescription))")
        }
    }

    /// Gives a file another name in the same folder; throws where there is one of this name already.
    static func rename(_ path: String, to target: String) throws(SimulationError) {
        guard unsafe access(target, F_OK) != 0, unsafe Foundation.rename(path, target) == 0 else {
            throw SimulationError("\(path): cannot be renamed to \(target); is that there already?")
        }
    }
}
