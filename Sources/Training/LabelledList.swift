import Foundation

/// A CSV list of labelled frames in the published layout.
///
/// The first line names the columns: `img_path` and `label` (1 is faulty, 0 normal) are needed; `seg_path`
/// (the mask, may be empty), `fault` (the class of fault) and `strength` of the fault are taken where they are; others are
/// ignored. Fields with commas stand in quotes. Empty lines are passed over.
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
        let lines = Self.lines(String(decoding: data, as: UTF8.self))
        let columns = try Columns(header: lines.first.map { Self.fields($0) } ?? [], path: path)
        let resolve = Self.resolver(list: path, base: base)
        var rows: [FramePaths.Labelled] = []
        var problems: [String] = []
        for (index, line) in lines.enumerated().dropFirst() where !line.allSatisfy(\.isWhitespace) {
            let fields = Self.fields(line)
            if let row = columns.row(fields, list: path, number: index + 1, resolve: resolve) {
                rows.append(row)
            } else {
                problems.append(
                    "\(path), row \(index + 1): \(columns.count) fields are needed, with a path and a label of "
                        + "0 or 1"
                )
            }
        }
        self.rows = rows
        self.problems = problems
    }

    /// Lines with the empty ones, so that rows are counted as an editor counts them; without a byte order
    /// mark.
    private static func lines(_ text: String) -> [Substring] {
        let text = text.hasPrefix("\u{FEFF}") ? text.dropFirst() : Substring(text)
        return text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline)
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

    /// Where the columns are.
    private struct Columns {
        let count: Int
        private let image: Int
        private let label: Int
        private let mask: Int?
        private let fault: Int?
        private let strength: Int?

        init(header: [String], path: String) throws(DataError) {
            guard let image = header.firstIndex(of: "img_path"), let label = header.firstIndex(of: "label")
            else {
                throw DataError("\(path): the first line must name the columns img_path,seg_path,label")
            }
            (self.image, self.label, count) = (image, label, header.count)
            mask = header.firstIndex(of: "seg_path")
            fault = header.firstIndex(of: "fault")
            strength = header.firstIndex(of: "strength")
        }

        /// A row, or `nil` if it has not what is needed.
        func row(
            _ fields: [String],
            list: String,
            number: Int,
            resolve: (String) -> String
        ) -> FramePaths.Labelled? {
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
                row: number
            )
        }
    }
}
