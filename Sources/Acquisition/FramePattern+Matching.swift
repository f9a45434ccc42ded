import Plate

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
        _ problem: (FramePatternError.Code, String) -> FramePatternError
    ) throws(FramePatternError) -> [Part] {
        let fields: [String: Part] = ["run": .run, "well": .well, "frame": .frame, "f": .optionalF]
        var parts: [Part] = []
        var rest = Array(pattern.utf8)[...]
        while let first = rest.first {
            guard first == UInt8(ascii: "{") else {
                let text = rest.prefix { $0 != UInt8(ascii: "{") }
                guard !text.contains(UInt8(ascii: "}")) else {
                    throw problem(.unknownField, "has a '}' without a '{'")
                }
                parts.append(.literal(Array(text)))
                rest = rest.dropFirst(text.count)
                continue
            }
            let name = String(decoding: rest.dropFirst().prefix { $0 != UInt8(ascii: "}") }, as: UTF8.self)
            guard let field = fields[name], rest.contains(UInt8(ascii: "}")) else {
                throw problem(
                    .unknownField,
                    "knows {run}, {well}, {frame} and {f}, not {\(printableName(name))}"
                )
            }
            guard !parts.contains(field) else { throw problem(.repeatedField, "has {\(name)} twice") }
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
