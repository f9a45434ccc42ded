import Foundation

/// The compressed chunk of one plane of an array of Zarr 3 with one shard; `nil` where it has none.
package func chunk(_ plane: Int, of planes: Int, in array: String) throws -> [UInt8]? {
    let shard = Array(try Data(contentsOf: URL(filePath: "\(array)/c/0/0/0")))
    func entry(_ position: Int) -> UInt64 {
        let start = shard.count - 16 * planes + 8 * position
        return (0..<8).reduce(0) { $0 | UInt64(shard[start + $1]) << UInt64(8 * $1) }
    }
    let (offset, count) = (entry(2 * plane), entry(2 * plane + 1))
    guard offset != .max else { return nil }
    return Array(shard[Int(offset)..<Int(offset + count)])
}
