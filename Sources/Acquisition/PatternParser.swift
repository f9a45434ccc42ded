import Plate

/// A part of a pattern of file names.
enum NamePart: Equatable, Sendable {
    case literal([UInt8])
    /// Literal text whose letters match in either case.
    case caseless([UInt8])
    case field(NameField, width: Int?)
    /// Any text but a `/`.
    case anyText
    /// Any character but a `/`.
    case anyCharacter
    /// The next so many parts may be missing.
    case optional(parts: Int)
}

/// A field of a pattern of file names.
enum NameField: String, CaseIterable, Sendable {
    case run, well, row, column, field, channel, plane, frame, time, guid, number
}

/// Reads the text of a pattern.
struct PatternParser {
    private let pattern: String
    private var rest: ArraySlice<UInt8>
    private var alternative = FramePattern.Alternative(parts: [])

    /// Longest pattern, in bytes.
    private static let longest = 4000
    /// Most parts, and folders, of an alternative: what they cost is paid for every file.
    private static let most = (parts: 100, folders: 8)
    private static let special = Set("{}<>*?".utf8)

    static func alternatives(of pattern: String) throws(FramePatternError) -> [FramePattern.Alternative] {
        var found: [FramePattern.Alternative] = []
        guard pattern.utf8.count <= longest else {
            throw FramePatternError(
                pattern: String(printableName(pattern).prefix(40)),
                detail: "is longer than \(longest) bytes"
            )
        }
        for text in pattern.utf8.split(separator: UInt8(ascii: "|"), omittingEmptySubsequences: false) {
            var parser = PatternParser(pattern: pattern, rest: Array(text)[...])
            found.append(try parser.read())
        }
        guard found.contains(where: { !$0.isPassedOver }) else {
            throw FramePatternError(
                pattern: printableName(pattern),
                detail: "has alternatives with '!' only, so no file would be a frame"
            )
        }
        return found
    }

    private init(pattern: String, rest: ArraySlice<UInt8>) {
        (self.pattern, self.rest) = (pattern, rest)
    }

    private func problem(_ detail: String) -> FramePatternError {
        FramePatternError(pattern: printableName(pattern), detail: detail)
    }

    private mutating func read() throws(FramePatternError) -> FramePattern.Alternative {
        if rest.first == UInt8(ascii: "!") {
            alternative.isPassedOver = true
            rest = rest.dropFirst()
        }
        guard !rest.isEmpty else { throw problem("is empty") }
        let text = String(decoding: rest, as: UTF8.self)
        let folders = text.split(separator: "/", omittingEmptySubsequences: false)
        guard !folders.contains(where: { $0.isEmpty || $0 == "." || $0 == ".." }),
            text.unicodeScalars.allSatisfy(isPrintable)
        else { throw problem("must be a path below the watched folder") }
        let range = try readParts(isInner: false)
        guard alternative.parts.count <= Self.most.parts, range.upperBound <= Self.most.folders else {
            throw problem(
                "has more than \(Self.most.parts) parts or \(Self.most.folders) folders in an alternative"
            )
        }
        guard rest.isEmpty else { throw problem("has a '>' without a '<'") }
        alternative.folders = range
        try check()
        alternative.parts = Self.ignoringCaseOfExtension(alternative.parts)
        return alternative
    }

    /// Reads up to the end, or to the `>` of an optional part; returns the fewest and the most folders in it.
    private mutating func readParts(isInner: Bool) throws(FramePatternError) -> ClosedRange<Int> {
        var (fewest, most) = (0, 0)
        while let first = rest.first, alternative.parts.count <= Self.most.parts {
            switch first {
            case UInt8(ascii: ">"): return fewest...most
            case UInt8(ascii: "<"):
                rest = rest.dropFirst()
                let position = alternative.parts.count
                alternative.parts.append(.optional(parts: 0))
                most += try readParts(isInner: true).upperBound
                guard alternative.parts.count <= Self.most.parts else { return fewest...most }
                guard rest.first == UInt8(ascii: ">") else { throw problem("has a '<' without a '>'") }
                rest = rest.dropFirst()
                alternative.parts[position] = .optional(parts: alternative.parts.count - position - 1)
            case UInt8(ascii: "{"): try readField(isInner)
            case UInt8(ascii: "}"): throw problem("has a '}' without a '{'")
            case UInt8(ascii: "*"): append(.anyText)
            case UInt8(ascii: "?"): append(.anyCharacter)
            default:
                let text = rest.prefix { !Self.special.contains($0) }
                let slashes = text.count { $0 == UInt8(ascii: "/") }
                (fewest, most) = (fewest + slashes, most + slashes)
                alternative.parts.append(.literal(Array(text)))
                rest = rest.dropFirst(text.count)
            }
        }
        return fewest...most
    }

    private mutating func append(_ part: NamePart) {
        alternative.parts.append(part)
        rest = rest.dropFirst()
    }

    private mutating func readField(_ isInner: Bool) throws(FramePatternError) {
        let text = rest.dropFirst().prefix { $0 != UInt8(ascii: "}") }
        guard rest.dropFirst(1 + text.count).first != nil else { throw problem("has a '{' without a '}'") }
        rest = rest.dropFirst(text.count + 2)
        let words = String(decoding: text, as: UTF8.self)
        if words == "f" {
            alternative.parts += [.optional(parts: 1), .literal([UInt8(ascii: "f")])]
            return
        }
        if let well = words.dropPrefix("well=") {
            guard let well = Well(well), !isInner else {
                throw problem(
                    "{\(printableName(words))} must name a well, like {well=A1}, outside of '<' and '>'"
                )
            }
            alternative.well = well
            return
        }
        let halves = words.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        let width = halves.count > 1 ? Int(halves[1]) : nil
        guard let field = NameField(rawValue: String(halves[0])) else {
            let known = NameField.allCases.map { "{\($0.rawValue)}" }.joined(separator: ", ")
            throw problem("knows \(known), not {\(printableName(words))}")
        }
        guard halves.count == 1 || width.map({ (1...FramePattern.longestName).contains($0) }) == true else {
            throw problem(
                "{\(printableName(words))}: behind the ':' stands how many characters the field has"
            )
        }
        alternative.parts.append(.field(field, width: width))
    }

    /// Refuses what cannot name wells, or says one thing twice.
    private func check() throws(FramePatternError) {
        let fields = alternative.parts.compactMap { part -> NameField? in
            if case .field(let field, _) = part { field } else { nil }
        }
        for field in NameField.allCases where field != .number && fields.count(where: { $0 == field }) > 1 {
            throw problem("has {\(field.rawValue)} twice")
        }
        if fields.contains(.frame), fields.contains(.time) { throw problem("has both {frame} and {time}") }
        guard !alternative.isPassedOver else { return }
        let ways = [
            fields.contains(.well), fields.contains(.row) || fields.contains(.column),
            alternative.well != nil,
        ]
        guard ways.contains(true) else { throw problem("has no {well}, nor {row} and {column}") }
        guard ways.count(where: { $0 }) == 1, fields.contains(.row) == fields.contains(.column) else {
            throw problem("names the well twice or by half: {well}, or {row} and {column}")
        }
    }

    /// Makes literal text from the last dot of the pattern on match in either case.
    private static func ignoringCaseOfExtension(_ parts: [NamePart]) -> [NamePart] {
        var parts = parts
        let dot = UInt8(ascii: ".")
        for index in parts.indices.reversed() {
            guard case .literal(let text) = parts[index] else { continue }
            guard let position = text.lastIndex(of: dot) else {
                if text.contains(UInt8(ascii: "/")) { return parts }
                parts[index] = .caseless(text)
                continue
            }
            guard !text[position...].contains(UInt8(ascii: "/")) else { return parts }
            // Both halves stay one part, so that no optional part changes its length.
            parts[index] = .caseless(Array(text[position...]))
            guard position > 0 else { return parts }
            parts.insert(.literal(Array(text[..<position])), at: index)
            for (outer, part) in parts[..<index].enumerated() {
                if case .optional(let count) = part, outer + count >= index {
                    parts[outer] = .optional(parts: count + 1)
                }
            }
            return parts
        }
        return parts
    }
}

extension String {
    fileprivate func dropPrefix(_ prefix: String) -> Substring? {
        hasPrefix(prefix) ? dropFirst(prefix.count) : nil
    }
}
