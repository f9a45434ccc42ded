public import Plate

/// The content of a file as the file system tells it apart: a rewritten or replaced file has another stamp.
public struct FileStamp: Hashable, Sendable {
    /// Device number of the file system.
    public let device: UInt64
    /// Inode number.
    public let inode: UInt64
    /// Size in bytes.
    public let size: Int64
    /// Last modification.
    public let modified: Timestamp

    /// Gathers what `stat` says of a file.
    public init(device: UInt64, inode: UInt64, size: Int64, modified: Timestamp) {
        self.device = device
        self.inode = inode
        self.size = size
        self.modified = modified
    }
}
