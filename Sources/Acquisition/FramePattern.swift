package import Plate

/// How file names tell run, well and position in time, for example `{run}_{well}_f{frame}.tif{f}`.
///
/// Fields are `{run}`, `{well}` and `{frame}`, each at most once; all else is literal text, and `{f}` is an
/// `f` that may be missing. The literal text behind the last dot, the extension, ignores case.
///
/// - Without a `/` the pattern is held against the file's own name, wherever under the root it lies. With
///   one (`{run}/{well}/{frame}.tiff`) it is held against the whole path below the root.
/// - `{run}` takes as much as it can, so `a_b_B1_f2.tif` is run `a_b`. Without `{run}` the run is the
///   folder directly under the root, or the root's own name for files that lie in the root.
/// - Without `{frame}` the index is 0: each file is a movie.
///
/// Names come from outside and become folders of the output tree, so some are refused whatever the pattern:
/// any part of the path over 200 bytes (room must remain for suffixes), control characters, and runs that
/// hold anything but letters, digits, `.`, `_`, `-` and `+` or begin with a dot. Hidden files and folders and
/// temporary names (`~`, `.tmp`, `.part` and their like) are ignored without a word.
package struct FramePattern: Sendable, Equatable, CustomStringConvertible {
    /// The pattern of a ComplexEye: `01_B1_f100.tif` or `.tiff`.
    package static let standard = "{run}_{well}_f{frame}.tif{f}"

    /// The pattern as it was given.
    package let description: String
    let parts: [Part]
    let isPath: Bool
    let hasRun: Bool

    enum Part: Equatable {
        case literal([UInt8])
        case caseless([UInt8])
        case run, well, frame, optionalF
    }

    /// The longest part of a path that is taken, in bytes.
    private static let longestName = 200
    private static let temporarySuffixes = [
        "~", ".tmp", ".temp", ".part", ".partial", ".filepart", ".crdownload", ".download", ".swp", ".lock",
    ].map { Array($0.utf8) }

    /// Reads a pattern; throws a sentence for one that could match nothing or cannot name wells.
    package init(_ pattern: String = standard) throws(FramePatternError) {
        description = pattern
        let problem = { (code: FramePatternError.Code, detail: String) in
            FramePatternError(code: code, pattern: printableName(pattern), detail: detail)
        }
        guard !pattern.isEmpty else { throw problem(.empty, "is empty") }
        let folders = pattern.split(separator: "/", omittingEmptySubsequences: false)
        guard !folders.contains(where: { $0.isEmpty || $0 == "." || $0 == ".." }),
            pattern.unicodeScalars.allSatisfy(isPrintable)
        else { throw problem(.notARelativePath, "must be a path below the watched folder") }
        let parts = try Self.parse(pattern, problem)
        guard parts.contains(.well) else { throw problem(.noWell, "has no {well}") }
        self.parts = Self.ignoringCaseOfExtension(parts)
        isPath = folders.count > 1
        hasRun = parts.contains(.run)
    }

    /// The frame that a file shows, or `nil` where `read` refuses or ignores it.
    package func match(relativePath: String, rootName: String = "") -> FrameID? {
        guard case .frame(let frame) = read(relativePath: relativePath, rootName: rootName) else {
            return nil
        }
        return frame
    }

    /// What the path of a file below its root says; `rootName` is the run of files that lie in the root
    /// where the pattern has no `{run}`.
    package func read(relativePath: String, rootName: String = "") -> NameReading {
        let components = relativePath.utf8.split(separator: UInt8(ascii: "/"))
        guard let name = components.last else { return .refused("the name is empty") }
        if components.contains(where: { Self.isIgnored(Substring($0)) }) { return .ignored }
        if components.contains(where: { $0.count > Self.longestName }) {
            return .refused("a name is longer than \(Self.longestName) bytes")
        }
        guard relativePath.unicodeScalars.allSatisfy(isPrintable) else {
            return .refused("the name holds control characters")
        }
        var fields = Fields()
        guard match(parts[...], isPath ? Array(relativePath.utf8)[...] : Array(name)[...], &fields),
            let well = fields.well
        else { return .refused("the name does not fit the pattern \(printableName(description))") }
        let folder = components.count > 1 ? String(Substring(components[0])) : rootName
        let run = hasRun ? fields.run : folder
        guard Self.isSafe(run: run) else {
            return .refused(
                "'\(printableName(run))' cannot be a run: letters, digits, '.', '_', '-' and '+' can, "
                    + "and no dot in front"
            )
        }
        return .frame(FrameID(run: run, well: well, index: fields.index))
    }

    /// Whether a file or folder of this name is passed over without a word.
    static func isIgnored(_ name: Substring) -> Bool {
        let name = name.utf8
        guard let first = name.first, let last = name.last else { return false }
        // The last byte first: nearly no name has one of theirs.
        return first == UInt8(ascii: ".")
            || temporarySuffixes.contains { suffix in
                suffix.last.map { sameLetter($0, last) } == true
                    && name.suffix(suffix.count).elementsEqual(suffix, by: sameLetter)
            }
    }

    private static func isSafe(run: String) -> Bool {
        !run.isEmpty && !run.hasPrefix(".")
            && run.unicodeScalars.allSatisfy { scalar in
                // As nearly all are, and the category is looked up in a large table.
                if scalar.isASCII { return isPlain(UInt8(truncatingIfNeeded: scalar.value)) }
                return switch scalar.properties.generalCategory {
                case .uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .modifierLetter, .otherLetter,
                    .nonspacingMark, .spacingMark, .decimalNumber:
                    true
                default: false
                }
            }
    }

    private static func isPlain(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "-"),
            UInt8(ascii: "+"):
            true
        default: false
        }
    }
}
