/// What tells one content of one file from another without reading it.
package struct FileIdentity: Hashable, Sendable {
    /// Number of the file system.
    package let device: UInt64
    /// Number of the file on it.
    package let inode: UInt64
    /// Bytes.
    package let size: Int64
    /// When it was last written, as the file system keeps it.
    package let modified: Timestamp

    /// Gathers the four.
    package init(device: UInt64, inode: UInt64, size: Int64, modified: Timestamp) {
        self.device = device
        self.inode = inode
        self.size = size
        self.modified = modified
    }
}
