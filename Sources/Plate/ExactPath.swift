import Foundation

/// A path compared and ordered byte by byte, as the file system does.
///
/// `String` takes two spellings of an accent for one, and would take two files for one.
package struct ExactPath: Hashable, Sendable, Comparable {
    /// The path.
    package let text: String

    /// Wraps a path.
    package init(_ text: String) {
        self.text = text
    }

    /// Whether both are the same bytes.
    package static func == (left: ExactPath, right: ExactPath) -> Bool {
        left.text.utf8.elementsEqual(right.text.utf8)
    }

    /// Orders by bytes.
    package static func < (left: ExactPath, right: ExactPath) -> Bool {
        left.text.utf8.lexicographicallyPrecedes(right.text.utf8)
    }

    /// Feeds the bytes and an end.
    package func hash(into hasher: inout Hasher) {
        let isTaken: Void? = unsafe text.utf8.withContiguousStorageIfAvailable {
            unsafe hasher.combine(bytes: UnsafeRawBufferPointer($0))
        }
        if isTaken == nil { for byte in text.utf8 { hasher.combine(byte) } }
        hasher.combine(0xFF as UInt8)
    }

    /// The path of an entry of this folder.
    package func appending(_ name: String) -> ExactPath {
        ExactPath(text.utf8.last == UInt8(ascii: "/") ? text + name : text + "/" + name)
    }

    /// The last part of the path; empty for the root of the file system.
    package var name: Substring {
        let start = text.utf8.lastIndex(of: UInt8(ascii: "/")).map(text.utf8.index(after:)) ?? text.startIndex
        return text[start...]
    }

    /// The folder that it lies in; `.` for a name alone.
    package var folder: String {
        guard let end = text.utf8.lastIndex(of: UInt8(ascii: "/")) else { return "." }
        return end == text.startIndex ? "/" : String(text[..<end])
    }

    /// The path from the file system's root on, without `.`, `..` and doubled slashes; links stay.
    package static func absolute(_ path: String) -> ExactPath {
        let slash = UInt8(ascii: "/")
        let isAbsolute = path.utf8.first == slash
        let whole = isAbsolute ? path : FileManager.default.currentDirectoryPath + "/" + path
        var parts: [Substring] = []
        for part in whole.utf8.split(separator: slash).map({ Substring($0) }) where part != "." {
            if part == ".." { _ = parts.popLast() } else { parts.append(part) }
        }
        return ExactPath("/" + parts.joined(separator: "/"))
    }

    /// Whether the path is the folder or lies in it.
    package func isInside(_ folder: ExactPath) -> Bool {
        guard text.utf8.starts(with: folder.text.utf8) else { return false }
        let rest = text.utf8.dropFirst(folder.text.utf8.count)
        return rest.isEmpty || rest.first == UInt8(ascii: "/") || folder.text == "/"
    }
}
