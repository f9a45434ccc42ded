/// What tells one content of one file from another without reading it.
public struct FileIdentity: Hashable, Sendable {
    /// Number of the file system.
    public let device: UInt64
    /// Number of the file on it.
    public let inode: UInt64
    /// Bytes.
    public let size: Int64
    /// When it was last written, as the file system keeps it.
    public let modified: Timestamp

    /// Gathers the four.
    public init(device: UInt64, inode: UInt64, size: Int64, modified: Timestamp) {
        self.device = device
        self.inode = inode
        self.size = size
        self.modified = modified
    }
}
