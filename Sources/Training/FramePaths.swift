import Foundation

/// Frames named on a command line: files, folders (with everything below them), globs, or CSV lists.
package enum FramePaths {
    /// Every TIFF file that the arguments name, in order and without repeats; of CSV lists the normal ones.
    package static func normal(_ arguments: [String]) throws(DataError) -> [String] {
        try paths(arguments) { !$0.isFaulty }
    }

    /// Every TIFF file that the arguments name, in order and without repeats; of CSV lists all of them.
    package static func all(_ arguments: [String]) throws(DataError) -> [String] {
        try paths(arguments) { _ in true }
    }

    private static func paths(
        _ arguments: [String],
        where isWanted: (Labelled) -> Bool
    ) throws(DataError) -> [String] {
        var found: [String] = []
        for argument in arguments {
            if argument.lowercased().hasSuffix(".csv") {
                found += try labelled(csv: argument).filter(isWanted).map(\.image)
            } else {
                found += try files(argument)
            }
        }
        var seen: Set<String> = []
        return found.filter { seen.insert($0).inserted }
    }

    /// Every TIFF file that an argument names: a file, a folder or a glob; throws where there is none.
    package static func files(_ argument: String) throws(DataError) -> [String] {
        var isFolder: ObjCBool = false
        if unsafe FileManager.default.fileExists(atPath: argument, isDirectory: &isFolder) {
            guard isFolder.boolValue else { return [argument] }
            let files = folder(argument)
            guard !files.isEmpty else {
                throw DataError("\(argument): no TIFF files in there; check the path")
            }
            return files
        }
        let matches = expanded(argument)
        guard !matches.isEmpty else {
            throw DataError("\(argument): no such file or folder, and no file matches it")
        }
        return matches.flatMap { (match: String) -> [String] in
            var isFolder: ObjCBool = false
            _ = unsafe FileManager.default.fileExists(atPath: match, isDirectory: &isFolder)
            return isFolder.boolValue ? folder(match) : [match]
        }
    }

    private static func folder(_ path: String) -> [String] {
        let names = FileManager.default.enumerator(atPath: path)?.compactMap { $0 as? String } ?? []
        return names.filter { name in
            let lower = name.lowercased()
            let base = name.split(separator: "/").last ?? ""
            return (lower.hasSuffix(".tif") || lower.hasSuffix(".tiff")) && !base.hasPrefix(".")
        }.sorted().map { path.hasSuffix("/") ? path + $0 : "\(path)/\($0)" }
    }

    private static func expanded(_ pattern: String) -> [String] {
        var matches = unsafe glob_t()
        defer { unsafe globfree(&matches) }
        guard unsafe glob(pattern, GLOB_BRACE | GLOB_TILDE, nil, &matches) == 0 else { return [] }
        return unsafe (0..<Int(matches.gl_pathc)).compactMap { index in
            unsafe matches.gl_pathv[index].map { unsafe String(cString: $0) }
        }
    }
}
