import Foundation
import Frames
package import Plate
import Tables

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

extension FramePaths {
    /// One frame of a labelled list.
    package struct Labelled: Sendable, Equatable {
        /// Path of the frame.
        package let image: String
        /// Path of its mask, if it has one.
        package let mask: String?
        /// Whether it is faulty.
        package let isFaulty: Bool
        /// The class of its fault, where the list has it.
        package let fault: String?
        /// Strength of the fault, 0 to 1, where the list has it.
        package let strength: Double?
        /// The list that names the frame.
        package let list: String
        /// The line of the list in which its row begins, as an editor counts: the header is row 1.
        package let row: Int

        /// Where the frame is named, for messages.
        package var place: String { "\(list), row \(row)" }

        /// Decodes the first page.
        package func readFrame() throws(DataError) -> Frame { try Self.page(image) }

        /// Decodes the mask, every value above 0 being faulty; it must be of the frame's size.
        ///
        /// A normal frame without a mask has an empty one, a faulty frame without has `nil`.
        package func readMask(height: Int, width: Int) throws(DataError) -> Mask? {
            guard let path = mask else {
                guard !isFaulty else { return nil }
                return Mask(
                    height: height,
                    width: width,
                    values: [UInt8](repeating: 0, count: height * width)
                )
            }
            let frame = try Self.page(path)
            guard frame.height == height, frame.width == width else {
                throw DataError(
                    "\(path) is \(frame.width) x \(frame.height), its frame \(image) is \(width) x \(height)"
                )
            }
            return Mask(height: height, width: width, values: frame.pixels.map { $0 > 0 ? 1 : 0 })
        }

        private static func page(_ path: String) throws(DataError) -> Frame {
            do { return try TIFFReader(path: path).frame(page: 0) } catch { throw DataError("\(error)") }
        }
    }

    /// Reads a list with the published header `img_path,seg_path,label`; one row that cannot be read refuses
    /// it.
    ///
    /// Paths are relative to the list's folder, or to the one above it, where the published layout has its
    /// frames.
    package static func labelled(csv path: String) throws(DataError) -> [Labelled] {
        let list = try LabelledList(csv: path)
        if let problem = list.problems.first { throw DataError(problem) }
        return list.rows
    }
}

/// A CSV list of labelled frames in the published layout.
///
/// The first line names the columns: `img_path` and `label` (1 is faulty, 0 normal) are needed; `seg_path`
/// (the mask, may be empty), `fault` (the class of fault) and `strength` of the fault are taken where they are; others are
/// ignored. Separators and quotes are those of `CSV`; blanks around a field do not count.
package struct LabelledList: Sendable {
    /// The rows that could be read, in order.
    package let rows: [FramePaths.Labelled]
    /// One sentence for each row that could not.
    package let problems: [String]

    /// Reads a list.
    ///
    /// Paths are relative to `base`; without one to the list's folder, or to the one above it, where the
    /// published layout has its frames. Throws for a file that cannot be read or lacks a column.
    package init(csv path: String, base: String? = nil) throws(DataError) {
        guard let data = FileManager.default.contents(atPath: path) else {
            throw DataError("\(path): cannot be read; check the path and its permissions")
        }
        let table = CSVTable(data)
        let columns = try Columns(table, path: path)
        let resolve = Self.resolver(list: path, base: base)
        var rows: [FramePaths.Labelled] = []
        var problems: [String] = []
        for row in table.rows {
            if let fault = row.fault {
                problems.append("\(path), row \(row.line): \(fault)")
            } else if let labelled = columns.labelled(row, list: path, resolve: resolve) {
                rows.append(labelled)
            } else {
                problems.append(
                    "\(path), row \(row.line): \(columns.count) fields are needed, with a path and a label of "
                        + "0 or 1"
                )
            }
        }
        self.rows = rows
        self.problems = problems
    }

    private static func resolver(list path: String, base: String?) -> (String) -> String {
        if let base {
            let folder = URL(filePath: base, directoryHint: .isDirectory)
            return { URL(filePath: $0, relativeTo: folder).path }
        }
        let folder = URL(filePath: path).deletingLastPathComponent()
        return { name in
            let here = URL(filePath: name, relativeTo: folder).path
            let above = URL(filePath: name, relativeTo: folder.deletingLastPathComponent()).path
            let files = FileManager.default
            return !files.fileExists(atPath: here) && files.fileExists(atPath: above) ? above : here
        }
    }

    private struct Columns {
        let count: Int
        private let image: Int
        private let label: Int
        private let mask: Int?
        private let fault: Int?
        private let strength: Int?

        init(_ table: CSVTable, path: String) throws(DataError) {
            let header = table.header.map(Self.trimmed)
            guard let image = header.firstIndex(of: "img_path"), let label = header.firstIndex(of: "label")
            else {
                throw DataError("\(path): the first line must name the columns img_path,seg_path,label")
            }
            (self.image, self.label, count) = (image, label, header.count)
            mask = header.firstIndex(of: "seg_path")
            fault = header.firstIndex(of: "fault")
            strength = header.firstIndex(of: "strength")
        }

        /// A labelled frame, or `nil` if the row has not what is needed.
        func labelled(_ row: CSVTable.Row, list: String, resolve: (String) -> String) -> FramePaths.Labelled?
        {
            let fields = row.fields.map(Self.trimmed)
            guard fields.count == count, let value = Double(fields[label]), value == 0 || value == 1,
                !fields[image].isEmpty
            else { return nil }
            let filled = { (column: Int?) in column.map { fields[$0] }.flatMap { $0.isEmpty ? nil : $0 } }
            return FramePaths.Labelled(
                image: resolve(fields[image]),
                mask: filled(mask).map(resolve),
                isFaulty: value == 1,
                fault: filled(fault),
                strength: filled(strength).flatMap { Double($0) },
                list: list,
                row: row.line
            )
        }

        private static func trimmed(_ field: String) -> String { field.trimmingCharacters(in: .whitespaces) }
    }
}

/// The reason why frames cannot be used for training or calibration.
package struct DataError: Error, Sendable, Equatable, CustomStringConvertible {
    /// What is wrong, where, and what to do.
    package let description: String

    /// Wraps a sentence.
    package init(_ description: String) { self.description = description }
}
