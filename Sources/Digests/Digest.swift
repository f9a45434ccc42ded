import CCrypto
package import Foundation

/// SHA-256 (FIPS 180-4) and the code of authentication made of it, by OpenSSL.
package enum Digest {
    /// The digest as 64 lower-case hexadecimal digits.
    package static func sha256(_ data: Data) -> String {
        var digest = [UInt8](repeating: 0, count: Int(SHA256_DIGEST_LENGTH))
        unsafe data.withUnsafeBytes { bytes in
            _ = unsafe SHA256(bytes.bindMemory(to: UInt8.self).baseAddress, bytes.count, &digest)
        }
        return digits(digest)
    }

    /// The digest of a file, read piece by piece; `nil` where it cannot be read.
    package static func sha256(file path: String) -> String? {
        guard let file = FileHandle(forReadingAtPath: path), let context = unsafe EVP_MD_CTX_new() else {
            return nil
        }
        defer { unsafe EVP_MD_CTX_free(context) }
        guard unsafe EVP_DigestInit_ex(context, EVP_sha256(), nil) == 1 else { return nil }
        do {
            while let piece = try file.read(upToCount: pieceBytes), !piece.isEmpty {
                unsafe piece.withUnsafeBytes { bytes in
                    _ = unsafe EVP_DigestUpdate(context, bytes.baseAddress, bytes.count)
                }
            }
        } catch {
            return nil
        }
        var digest = [UInt8](repeating: 0, count: Int(SHA256_DIGEST_LENGTH))
        unsafe EVP_DigestFinal_ex(context, &digest, nil)
        return digits(digest)
    }

    private static let pieceBytes = 1 << 20

    private static func digits(_ digest: [UInt8]) -> String {
        digest.map { byte in
            let digits = String(byte, radix: 16)
            return digits.count == 1 ? "0" + digits : digits
        }.joined()
    }

    /// HMAC-SHA256 (RFC 2104): 32 bytes that only who has the key can make of the data.
    package static func authenticationCode(of data: Data, key: Data) -> Data {
        var code = [UInt8](repeating: 0, count: Int(SHA256_DIGEST_LENGTH))
        unsafe data.withUnsafeBytes { bytes in
            unsafe key.withUnsafeBytes { keyBytes in
                _ = unsafe HMAC(
                    EVP_sha256(),
                    keyBytes.baseAddress,
                    // A key is a short line of a file.
                    Int32(clamping: keyBytes.count),
                    bytes.bindMemory(to: UInt8.self).baseAddress,
                    bytes.count,
                    &code,
                    nil
                )
            }
        }
        return Data(code)
    }
}
