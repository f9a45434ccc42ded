import Foundation
import Frames
package import Plate
import Tables

/// Frames named on a command line: files, folders (with everything below them), globs, or CSV lists.
package enum FramePaths {
    /// Every TIFF file that the arguments name, in order and without repeats; of CSV lists the normal ones.
    ///
    /// `note` hears what was taken for granted in a list, one sentence each.
    package static func normal(
        _ arguments: [String],
        note: (String) -> Void = { _ in }
    ) throws(DataError) -> [String] {
        try paths(arguments, note: note) { !$0.isFaulty }
    }

    /// Every TIFF file that the arguments name, in order and without repeats; of CSV lists all of them.
    package static func all(_ arguments: [String]) throws(DataError) -> [String] {
        // Labels do not matter there.
        try paths(arguments, note: { _ in }) { _ in true }
    }

    /// Spreadsheets write tables with tabs, and as UTF-16, under the last two.
    private static let listEndings = [".csv", ".tsv", ".txt"]

    private static func paths(
        _ arguments: [String],
        note: (String) -> Void,
        where isWanted: (Labelled) -> Bool
    ) throws(DataError) -> [String] {
        var found: [String] = []
        for argument in arguments {
            if listEndings.contains(where: argument.lowercased().hasSuffix) {
                let list = try LabelledList(csv: argument, needsLabels: false)
                if let problem = list.problems.first { throw DataError(problem) }
                list.notes.forEach(note)
                found += list.rows.filter(isWanted).map(\.image)
            } else {
                found += try files(argument)
            }
        }
        var seen: Set<ExactPath> = []
        return found.filter { seen.insert(ExactPath($0)).inserted }
    }

    /// Every TIFF file that an argument names: a file, a folder or a glob; throws where there is none.
    package static func files(_ argument: String) throws(DataError) -> [String] {
        var isFolder: ObjCBool = false
        if unsafe FileManager.default.fileExists(atPath: argument, isDirectory: &isFolder) {
            guard isFolder.boolValue else { return [argument] }
            let files = try folder(argument)
            guard !files.isEmpty else {
                throw DataError("\(argument): no TIFF files in there; check the path")
            }
            return files
        }
        let matches = expanded(argument)
        guard !matches.isEmpty else {
            throw DataError("\(argument): no such file or folder, and no file matches it")
        }
        var found: [String] = []
        for match in matches {
            try checkName(match)
            var isFolder: ObjCBool = false
            _ = unsafe FileManager.default.fileExists(atPath: match, isDirectory: &isFolder)
            found += isFolder.boolValue ? try folder(match) : [match]
        }
        return found
    }

    private static func folder(_ path: String) throws(DataError) -> [String] {
        let names = FileManager.default.enumerator(atPath: path)?.compactMap { $0 as? String } ?? []
        let frames = names.filter { name in
            let lower = name.lowercased()
            let base = name.split(separator: "/").last ?? ""
            return (lower.hasSuffix(".tif") || lower.hasSuffix(".tiff")) && !base.hasPrefix(".")
        }.map { ExactPath(path).appending($0) }.sorted().map(\.text)
        for frame in frames { try checkName(frame) }
        return frames
    }

    /// Refuses a name whose bytes are no UTF-8: it comes with replacement characters, under which there is no file.
    private static func checkName(_ path: String) throws(DataError) {
        guard path.unicodeScalars.contains("\u{FFFD}"), !FileManager.default.fileExists(atPath: path) else {
            return
        }
        throw DataError("\(path): the file's name is not UTF-8; rename it (`convmv` renames whole folders)")
    }

    /// The pattern with the characters escaped that stand in the name of a folder which is there.
    private static func escapingFolder(of pattern: String) -> String {
        let folder = ExactPath(pattern).folder
        guard pattern.utf8.contains(UInt8(ascii: "/")), FileManager.default.fileExists(atPath: folder) else {
            return pattern
        }
        let escaped = folder.unicodeScalars.map {
            "\\[]{}*?".unicodeScalars.contains($0) ? "\\\($0)" : "\($0)"
        }
        return escaped.joined() + "/" + ExactPath(pattern).name
    }

    private static func expanded(_ pattern: String) -> [String] {
        var matches = unsafe glob_t()
        defer { unsafe globfree(&matches) }
        guard unsafe glob(escapingFolder(of: pattern), GLOB_BRACE | GLOB_TILDE, nil, &matches) == 0 else {
            return []
        }
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

        /// Decodes the only frame of the file; a stack is refused, as the row would be of one of many.
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
            do {
                let reader = try TIFFReader(path: path)
                if let missing = reader.missing?.error { throw DataError("\(missing)") }
                guard reader.frames.count == 1 else {
                    throw DataError("\(path) holds \(reader.frames.count) frames; a row of a list names one")
                }
                return try reader.frame(page: reader.frames[0].page)
            } catch let error as DataError { throw error } catch { throw DataError("\(error)") }
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
/// The first line names the columns, in letters of any case: `img_path` and `label` (1 is faulty, 0 normal; spreadsheets' words
/// for true and false do as well, see `LabelWord`) are needed; where that is allowed, a frame without a label counts as
/// normal, as the published system takes it. `seg_path` (the mask, may be empty), `fault` (the class of fault) and `strength` of the fault are taken where they
/// are; others are ignored. Separators, quotes and characters are those of `CSV`; blanks around a field do not count, nor do
/// rows of empty fields. A backslash in a path is a slash, unless there is a file of just this name.
package struct LabelledList: Sendable {
    /// The rows that could be read, in order.
    package let rows: [FramePaths.Labelled]
    /// One sentence for each row that could not.
    package let problems: [String]
    /// What was taken for granted, one sentence each.
    package let notes: [String]

    /// Reads a list.
    ///
    /// Paths are relative to `base`; without one to the list's folder, or to the one above it, where the
    /// published layout has its frames. A file that is not there is looked for in the working directory, too. Throws for a file
    /// that cannot be read or lacks a column.
    package init(csv path: String, base: String? = nil, needsLabels: Bool = true) throws(DataError) {
        guard let data = FileManager.default.contents(atPath: path) else {
            throw DataError("\(path): cannot be read; check the path and its permissions")
        }
        if let problem = Self.workbook(data) { throw DataError("\(path): \(problem)") }
        let table = CSVTable(data)
        let columns = try Columns(table, path: path, needsLabels: needsLabels)
        let resolve = Self.resolver(list: path, base: base)
        var rows: [FramePaths.Labelled] = []
        var problems: [String] = []
        var unlabelled = 0
        for row in table.rows where !row.fields.allSatisfy({ Columns.trimmed($0).isEmpty }) {
            do throws(DataError) {
                if let fault = row.fault { throw DataError(fault) }
                let labelled = try columns.labelled(row, list: path, resolve: resolve)
                rows.append(labelled.frame)
                if !labelled.hasLabel { unlabelled += 1 }
            } catch {
                problems.append("\(path), row \(row.line): \(error)")
            }
        }
        self.rows = rows
        self.problems = problems
        notes =
            unlabelled == 0
            ? []
            : [
                "\(path): \(unlabelled) of \(rows.count) frames have no label, and count as normal (0); a column label says which are faulty"
            ]
    }

    /// What a file is that spreadsheets write and that is no text.
    private static func workbook(_ data: Data) -> String? {
        let isWorkbook =
            data.starts(with: [0x50, 0x4B, 0x03, 0x04]) || data.starts(with: [0xD0, 0xCF, 0x11, 0xE0])
        return isWorkbook ? "is a workbook, not a list; save the sheet as CSV" : nil
    }

    private static func resolver(list path: String, base: String?) -> (String) -> String {
        let own = ExactPath(path).folder
        let folders = (base.map { [$0] } ?? [own, "\(own)/.."]) + ["."]
        return { name in
            let slashed = String(
                decoding: name.utf8.map { $0 == UInt8(ascii: "\\") ? UInt8(ascii: "/") : $0 },
                as: UTF8.self
            )
            let places = [name, slashed].map { name in
                name.utf8.first == UInt8(ascii: "/") ? [name] : folders.map { "\($0)/\(name)" }
            }
            let all = places.map { $0.map { ExactPath.absolute($0).text } }
            let found = all.joined().first { FileManager.default.fileExists(atPath: $0) }
            return found ?? all.last?.first ?? name
        }
    }

    private struct Columns {
        let count: Int
        private let image: Int
        private let label: Int?
        private let mask: Int?
        private let fault: Int?
        private let strength: Int?
        private let needsLabels: Bool

        init(_ table: CSVTable, path: String, needsLabels: Bool) throws(DataError) {
            let label = table.column("label")
            guard let image = table.column("img_path"), label != nil || !needsLabels else {
                let needed = needsLabels ? "img_path and label" : "img_path"
                throw DataError(
                    "\(path): the first line must name the columns \(needed); \(Self.found(table))"
                )
            }
            (self.image, self.label, count) = (image, label, table.header.count)
            self.needsLabels = needsLabels
            mask = table.column("seg_path")
            fault = table.column("fault")
            strength = table.column("strength")
        }

        /// What the first line is, in words.
        private static func found(_ table: CSVTable) -> String {
            guard !table.header.isEmpty else { return "the file is empty" }
            let names = table.header.prefix(12).map { "'\(printableName($0).prefix(40))'" }.joined(
                separator: ", "
            )
            let separator = printableName(String(table.separator))
            return "it has \(names) (read as \(table.encoding.rawValue), with '\(separator)' between fields)"
        }

        /// A labelled frame, and whether the row has a label; throws what a row lacks, in words.
        func labelled(
            _ row: CSVTable.Row,
            list: String,
            resolve: (String) -> String
        ) throws(DataError) -> (frame: FramePaths.Labelled, hasLabel: Bool) {
            let fields = row.fields.map(Self.trimmed)
            guard
                fields.count == count || fields.dropFirst(count).allSatisfy(\.isEmpty) && fields.count > count
            else {
                throw DataError(
                    "\(fields.count) fields, and the first line has \(count); put a path with a separator in quotes"
                )
            }
            let path = fields[image]
            guard !path.isEmpty, path.utf8.allSatisfy({ $0 != 0 }) else {
                throw DataError("img_path is empty")
            }
            if path.utf8.dropFirst().starts(with: ":\\".utf8) {
                throw DataError("\(path): is a path of Windows; write paths relative to the list's folder")
            }
            var isFaulty = false
            let label = label.flatMap { !needsLabels && fields[$0].isEmpty ? nil : $0 }
            if let label {
                guard let value = LabelWord.isFaulty(fields[label]) else {
                    throw DataError(
                        "the label is '\(printableName(fields[label]))'; write 0 (normal) or 1 (faulty)"
                    )
                }
                isFaulty = value
            }
            let filled = { (column: Int?) in column.map { fields[$0] }.flatMap { $0.isEmpty ? nil : $0 } }
            let frame = FramePaths.Labelled(
                image: resolve(path),
                mask: filled(mask).map(resolve),
                isFaulty: isFaulty,
                fault: filled(fault),
                strength: filled(strength).flatMap { Double($0) },
                list: list,
                row: row.line
            )
            return (frame, label != nil)
        }

        static func trimmed(_ field: String) -> String { field.trimmingCharacters(in: .whitespaces) }
    }
}

/// What a label of a list means.
enum LabelWord {
    /// How spreadsheets write true and false in the languages of Europe, in lower case.
    private static let words: [String: Bool] = {
        let pairs = [
            ("true", "false"), ("wahr", "falsch"), ("vrai", "faux"), ("verdadero", "falso"),
            ("vero", "falso"),
            ("verdadeiro", "falso"), ("waar", "onwaar"), ("sant", "falskt"), ("sann", "usann"),
            ("sand", "falsk"),
            ("tosi", "epätosi"), ("prawda", "fałsz"), ("pravda", "nepravda"), ("igaz", "hamis"),
            ("истина", "ложь"),
            ("faulty", "normal"),
        ]
        return pairs.reduce(into: [:]) { words, pair in
            words[pair.0] = true
            words[pair.1] = false
        }
    }()

    /// Whether a label says faulty; `nil` where it says neither.
    static func isFaulty(_ label: String) -> Bool? {
        let number = Double(label.replacing(",", with: "."))
        if number == 0 { return false }
        return number == 1 ? true : words[label.lowercased()]
    }
}

/// The reason why frames cannot be used for training or calibration.
package struct DataError: Error, Sendable, Equatable, CustomStringConvertible {
    /// What is wrong, where, and what to do.
    package let description: String

    /// Wraps a sentence.
    package init(_ description: String) { self.description = description }
}
