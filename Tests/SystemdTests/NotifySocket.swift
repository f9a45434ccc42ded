import Foundation

/// The service manager's end of `NOTIFY_SOCKET`, for a test.
final class NotifySocket {
    private let descriptor: Int32

    /// Listens at a path, or at an abstract name if it begins with `@`.
    init(_ name: String) throws {
        descriptor = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue), 0)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        var bytes = Array(name.utf8)
        if bytes.first == UInt8(ascii: "@") { bytes[0] = 0 }
        try unsafe withUnsafeMutableBytes(of: &address.sun_path) { path in
            guard bytes.count < path.count else { throw CocoaError(.fileWriteInvalidFileName) }
            unsafe path.copyBytes(from: bytes)
        }
        let length = (MemoryLayout.offset(of: \sockaddr_un.sun_path) ?? 2) + bytes.count
        let descriptor = descriptor
        let code = unsafe withUnsafeBytes(of: &address) { raw in
            unsafe raw.withMemoryRebound(to: sockaddr.self) { address in
                unsafe bind(descriptor, address.baseAddress, socklen_t(length))
            }
        }
        var patience = timeval(tv_sec: 5, tv_usec: 0)
        let size = socklen_t(MemoryLayout<timeval>.size)
        let set = unsafe setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &patience, size)
        guard code == 0, set == 0 else { throw CocoaError(.fileWriteUnknown) }
    }

    deinit { close(descriptor) }

    /// The next datagram, at most 5 s away.
    func receive() -> String? {
        var buffer = [UInt8](repeating: 0, count: 4096)
        let count = unsafe recv(descriptor, &buffer, buffer.count, 0)
        return count < 0 ? nil : String(decoding: buffer.prefix(count), as: UTF8.self)
    }
}
