/// Which page of which file a row is about: the ledger holds at most one row for each.
public struct FrameKey: Hashable, Sendable, Comparable {
    /// Absolute path of the watched folder the file was found under.
    public let root: String
    /// The file's path relative to `root`.
    public let path: String
    /// Page of a multi-page file, counted from 0.
    public let page: Int

    /// Names one page of one file.
    public init(root: String, path: String, page: Int = 0) {
        self.root = root
        self.path = path
        self.page = page
    }

    /// Orders by root, then path, then page.
    public static func < (left: FrameKey, right: FrameKey) -> Bool {
        (left.root, left.path, left.page) < (right.root, right.path, right.page)
    }
}
