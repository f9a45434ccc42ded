import Digests
import Foundation

/// What people say of a model: whose it is, who may use it, and for which microscope.
package struct ModelAbout: Sendable, Equatable, Codable {
    /// A name for people.
    package var name: String?
    /// The licence of the weights, as SPDX writes it, for example `MIT`.
    package var licence: String?
    /// Who made it; none where nothing is known.
    package var authors: [String] = []
    /// The microscope whose frames it is for.
    package var microscope: String?
    /// The objective, for example `10x/0.3`.
    package var objective: String?
    /// Side of a pixel, in um.
    package var pixelSize: Double?

    /// Says nothing.
    package init() {}
}

/// A number of files and a digest over all of them, whatever their order.
///
/// The digest is the SHA-256 of lines, sorted, each the SHA-256 of a file: what `sha256sum FILE... | cut -c1-64 | sort | sha256sum` prints.
package struct FilesDigest: Sendable, Equatable, Codable {
    /// Number of files.
    package let files: Int
    /// 64 hexadecimal digits.
    package let sha256: String

    /// Reads the files; `nil` for none, and where one cannot be read.
    package init?(of paths: [String]) {
        let digests = paths.compactMap { Digest.sha256(file: $0) }
        guard !digests.isEmpty, digests.count == paths.count else { return nil }
        let lines = digests.sorted().map { $0 + "\n" }.joined()
        (files, sha256) = (digests.count, Digest.sha256(Data(lines.utf8)))
    }
}
