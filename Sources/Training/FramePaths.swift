import Foundation

/// Frames named on a command line: files, folders (with everything below them), globs, or CSV lists.
public enum FramePaths {
    /// One frame of a labelled list.
    public struct Labelled: Sendable, Equatable {
        /// Path of the frame.
        public let image: String
        /// Path of its mask, if it has one.
        public let mask: String?
        /// Whether it is faulty.
        public let isFaulty: Bool
    }

    /// Every TIFF file that the arguments name, in order and without repeats; of CSV lists the normal ones.
    public static func normal(_ arguments: [String]) throws(DataError) -> [String] {
        try paths(arguments) { !$0.isFaulty }
    }

    /// Every TIFF file that the arguments name, in order and without repeats; of CSV lists all of them.
    public static func all(_ arguments: [String]) throws(DataError) -> [String] {
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

    /// Every TIFF file that an argument names: a file, a folder or a glob.
    public static func files(_ argument: String) throws(DataError) -> [String] {
        var isFolder: ObjCBool = false
        if unsafe FileManager.default.fileExists(atPath: argument, isDirectory: &isFolder) {
            return isFolder.boolValue ? folder(argument) : [argument]
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

    /// Reads a list with the published header `img_path,seg_path,label`.
    ///
    /// Paths are relative to the list's folder, or to the one above it, where the published layout has its frames.
    public static func labelled(csv path: String) throws(DataError) -> [Labelled] {
        guard let data = FileManager.default.contents(atPath: path) else {
            throw DataError("\(path): cannot be read; check the path and its permissions")
        }
        let lines = String(decoding: data, as: UTF8.self).split(whereSeparator: \.isNewline)
        let header = lines.first.map { fields($0) } ?? []
        guard let image = header.firstIndex(of: "img_path"), let label = header.firstIndex(of: "label") else {
            throw DataError("\(path): the first line must name the columns img_path,seg_path,label")
        }
        let mask = header.firstIndex(of: "seg_path")
        let folder = URL(filePath: path).deletingLastPathComponent()
        var rows: [Labelled] = []
        for (number, line) in lines.enumerated().dropFirst() {
            let fields = fields(line)
            guard fields.count == header.count, let value = Double(fields[label]), !fields[image].isEmpty
            else {
                throw DataError(
                    "\(path), row \(number + 1): \(header.count) fields are needed, with a path and a label of 0 or 1"
                )
            }
            let resolve = { (name: String) in resolved(name, listIn: folder) }
            let maskPath = mask.map { fields[$0] } ?? ""
            rows.append(
                Labelled(
                    image: resolve(fields[image]),
                    mask: maskPath.isEmpty ? nil : resolve(maskPath),
                    isFaulty: value != 0
                )
            )
        }
        return rows
    }

    private static func resolved(_ name: String, listIn folder: URL) -> String {
        let here = URL(filePath: name, relativeTo: folder).path
        let above = URL(filePath: name, relativeTo: folder.deletingLastPathComponent()).path
        return !FileManager.default.fileExists(atPath: here) && FileManager.default.fileExists(atPath: above)
            ? above : here
    }

    /// Splits a line at commas outside quotes (RFC 4180).
    private static func fields(_ line: Substring) -> [String] {
        var fields = [""]
        var isQuoted = false
        for character in line {
            switch character {
            case "\"": isQuoted.toggle()
            case "," where !isQuoted: fields.append("")
            default: fields[fields.count - 1].append(character)
            }
        }
        return fields.map { $0.trimmingCharacters(in: .whitespaces) }
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
