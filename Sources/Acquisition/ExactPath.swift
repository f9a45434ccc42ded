/// A path compared byte by byte, as the file system does.
///
/// `String` would take two spellings of an accent for one.
struct ExactPath: Hashable {
    let text: String

    init(_ text: String) {
        self.text = text
    }

    static func == (left: ExactPath, right: ExactPath) -> Bool {
        left.text.utf8.elementsEqual(right.text.utf8)
    }

    func hash(into hasher: inout Hasher) {
        for byte in text.utf8 { hasher.combine(byte) }
        hasher.combine(0xFF as UInt8)
    }

    /// The path of an entry of this folder.
    func appending(_ name: String) -> ExactPath {
        ExactPath(text.utf8.last == UInt8(ascii: "/") ? text + name : text + "/" + name)
    }

    /// The last part of the path; empty for the root of the file system.
    var name: Substring {
        let start = text.utf8.lastIndex(of: UInt8(ascii: "/")).map(text.utf8.index(after:)) ?? text.startIndex
        return text[start...]
    }

    /// Whether the path is the folder or lies in it.
    func isInside(_ folder: ExactPath) -> Bool {
        guard text.utf8.starts(with: folder.text.utf8) else { return false }
        let rest = text.utf8.dropFirst(folder.text.utf8.count)
        return rest.isEmpty || rest.first == UInt8(ascii: "/") || folder.text == "/"
    }
}
