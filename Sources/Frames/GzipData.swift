private import CZlib

/// Bytes in the gzip format (RFC 1952), as chunks of a Zarr array carry them, and the checksum of that format.
package enum GzipData {
    /// Compresses at the least effort, several times as fast as the usual one; the same bytes give the same result.
    ///
    /// At most 2 GiB at once, which is the programmer's to see to.
    package static func compressed(_ bytes: [UInt8]) -> [UInt8] {
        precondition(bytes.count <= Int(Int32.max), "\(bytes.count) bytes at once")
        return unsafe [UInt8](unsafeUninitializedCapacity: aqc_gzip_bound(bytes.count)) { target, written in
            unsafe bytes.withUnsafeBytes { source in
                unsafe written = aqc_gzip(
                    source.baseAddress,
                    source.count,
                    target.baseAddress,
                    target.count,
                    1
                )
            }
            // The target is as large as zlib asks for.
            precondition(written > 0, "zlib has no memory for \(bytes.count) bytes")
        }
    }

    /// The checksum CRC-32, as zip archives have it.
    package static func checksum(_ bytes: [UInt8]) -> UInt32 {
        unsafe bytes.withUnsafeBytes { source in
            let start = unsafe source.bindMemory(to: UInt8.self).baseAddress
            return unsafe UInt32(truncatingIfNeeded: crc32_z(0, start, source.count))
        }
    }
}
