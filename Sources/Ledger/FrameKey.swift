/// Which page of which file a row is about: the ledger holds at most one row for each.
package struct FrameKey: Hashable, Sendable, Comparable {
    /// Absolute path of the watched folder the file was found under.
    package let root: String
    /// The file's path relative to `root`.
    package let path: String
    /// Page of a multi-page file, counted from 0.
    package let page: Int

    /// Names one page of one file.
    package init(root: String, path: String, page: Int = 0) {
        self.root = root
        self.path = path
        self.page = page
    }

    /// Orders by root, then path, then page.
    package static func < (left: FrameKey, right: FrameKey) -> Bool {
        (left.root, left.path, left.page) < (right.root, right.path, right.page)
    }
}
