import CCrypto
package import Foundation

/// SHA-256 (FIPS 180-4), by OpenSSL.
package enum Digest {
    /// The digest as 64 lower-case hexadecimal digits.
    package static func sha256(_ data: Data) -> String {
        var digest = [UInt8](repeating: 0, count: Int(SHA256_DIGEST_LENGTH))
        unsafe data.withUnsafeBytes { bytes in
            _ = unsafe SHA256(bytes.bindMemory(to: UInt8.self).baseAddress, bytes.count, &digest)
        }
        return digest.map { byte in
            let digits = String(byte, radix: 16)
            return digits.count == 1 ? "0" + digits : digits
        }.joined()
    }
}
