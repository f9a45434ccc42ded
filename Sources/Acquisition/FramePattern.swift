package import Plate

/// How file names tell run, well and position in time, for example `{run}_{well}_f{frame}.tif{f}`.
///
/// Fields are `{run}`, `{well}` and `{frame}`, each at most once; all else is literal text, and `{f}` is an
/// `f` that may be missing. The literal text behind the last dot, the extension, ignores case.
///
/// - Without a `/` the pattern is compared with the file's own name, wherever under the root it lies. With
///   one (`{run}/{well}/{frame}.tiff`) it is compared with the whole path below the root.
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
        let problem = { FramePatternError(pattern: printableName(pattern), detail: $0) }
        guard !pattern.isEmpty else { throw problem("is empty") }
        let folders = pattern.split(separator: "/", omittingEmptySubsequences: false)
        guard !folders.contains(where: { $0.isEmpty || $0 == "." || $0 == ".." }),
            pattern.unicodeScalars.allSatisfy(isPrintable)
        else { throw problem("must be a path below the watched folder") }
        let parts = try Self.parse(pattern, problem)
        guard parts.contains(.well) else { throw problem("has no {well}") }
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
        byte.isLetterOrDigit || "._-+".utf8.contains(byte)
    }
}

extension FramePattern {
    /// What the fields of a name hold.
    struct Fields {
        var run = ""
        var well: Well?
        var index = 0
    }

    /// Splits a pattern into literal text and fields.
    static func parse(
        _ pattern: String,
        _ problem: (String) -> FramePatternError
    ) throws(FramePatternError) -> [Part] {
        let fields: [String: Part] = ["run": .run, "well": .well, "frame": .frame, "f": .optionalF]
        var parts: [Part] = []
        var rest = Array(pattern.utf8)[...]
        while let first = rest.first {
            guard first == UInt8(ascii: "{") else {
                let text = rest.prefix { $0 != UInt8(ascii: "{") }
                guard !text.contains(UInt8(ascii: "}")) else {
                    throw problem("has a '}' without a '{'")
                }
                parts.append(.literal(Array(text)))
                rest = rest.dropFirst(text.count)
                continue
            }
            let name = String(decoding: rest.dropFirst().prefix { $0 != UInt8(ascii: "}") }, as: UTF8.self)
            guard let field = fields[name], rest.contains(UInt8(ascii: "}")) else {
                throw problem("knows {run}, {well}, {frame} and {f}, not {\(printableName(name))}")
            }
            guard !parts.contains(field) else { throw problem("has {\(name)} twice") }
            parts.append(field)
            rest = rest.dropFirst(name.utf8.count + 2)
        }
        return parts
    }

    /// Makes literal text behind the last dot of the pattern match in either case.
    static func ignoringCaseOfExtension(_ parts: [Part]) -> [Part] {
        let dot = UInt8(ascii: ".")
        let last = parts.lastIndex { part in
            if case .literal(let text) = part { text.contains(dot) } else { false }
        }
        guard let last, case .literal(let text) = parts[last], let position = text.lastIndex(of: dot),
            !text[position...].contains(UInt8(ascii: "/"))
        else { return parts }
        let tail = parts[(last + 1)...].map { part in
            if case .literal(let text) = part { Part.caseless(text) } else { part }
        }
        let split = [Part.literal(Array(text[..<position])), .caseless(Array(text[position...]))]
        return parts[..<last] + split + tail
    }

    /// Whether the text is exactly these parts; each field takes as much as the rest allows.
    func match(_ parts: ArraySlice<Part>, _ text: ArraySlice<UInt8>, _ fields: inout Fields) -> Bool {
        guard let part = parts.first else { return text.isEmpty }
        let others = parts.dropFirst()
        switch part {
        case .literal(let literal):
            return text.starts(with: literal) && match(others, text.dropFirst(literal.count), &fields)
        case .caseless(let literal):
            return text.prefix(literal.count).elementsEqual(literal, by: sameLetter)
                && match(others, text.dropFirst(literal.count), &fields)
        case .optionalF:
            let isF = text.first.map { sameLetter($0, UInt8(ascii: "f")) } ?? false
            return isF && match(others, text.dropFirst(), &fields) || match(others, text, &fields)
        case .run, .well, .frame:
            return matchField(part, others, text, &fields)
        }
    }

    private func matchField(
        _ field: Part,
        _ others: ArraySlice<Part>,
        _ text: ArraySlice<UInt8>,
        _ fields: inout Fields
    ) -> Bool {
        let most = field == .run ? Self.longestField : field == .well ? 4 : 18
        let candidates = text.prefix(most).prefix { byte in
            field == .frame ? isDigit(byte) : byte != UInt8(ascii: "/")
        }
        // The rest first: what follows a field mostly shows at its first byte that the field ends elsewhere.
        return stride(from: candidates.count, through: 1, by: -1).contains { length in
            match(others, text.dropFirst(length), &fields)
                && fields.set(field, to: String(decoding: candidates.prefix(length), as: UTF8.self))
        }
    }

    private static var longestField: Int { 200 }
}

extension FramePattern.Fields {
    /// Keeps a field's value if it can be one.
    fileprivate mutating func set(_ field: FramePattern.Part, to value: String) -> Bool {
        switch field {
        case .well:
            well = Well(value)
            return well != nil
        case .frame:
            guard let number = Int(value) else { return false }
            index = number
        default:
            run = value
        }
        return true
    }
}

private func isDigit(_ byte: UInt8) -> Bool { byte >= UInt8(ascii: "0") && byte <= UInt8(ascii: "9") }

/// Whether two bytes are the same, ASCII letters in either case.
func sameLetter(_ left: UInt8, _ right: UInt8) -> Bool {
    let lower = { (byte: UInt8) in
        byte >= UInt8(ascii: "A") && byte <= UInt8(ascii: "Z") ? byte | 0x20 : byte
    }
    return lower(left) == lower(right)
}

/// What a file's name says.
package enum NameReading: Sendable, Equatable {
    /// The file shows this frame.
    case frame(FrameID)
    /// A hidden or temporary name: nothing to report, the file is not finished or not meant for us.
    case ignored
    /// Not a frame; the sentence says why and is safe to print.
    case refused(String)
}

/// Why a file-name pattern cannot be used.
package struct FramePatternError: Error, Sendable, Equatable, CustomStringConvertible {
    let pattern: String
    let detail: String

    /// The sentence.
    package var description: String { "file-name pattern '\(pattern)': \(detail)" }
}
