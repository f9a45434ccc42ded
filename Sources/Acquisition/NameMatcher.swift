import Plate

/// What the fields of a name hold.
struct NameFields: Equatable {
    var run: String?
    var well: Well?
    var field: Int?
    var channel: String?
    var plane: Int?
    var index: Int?
    fileprivate var row: Int?
    fileprivate var column: Int?
}

/// Compares one text with the parts of a pattern.
///
/// Text that a part may take is as short as it can be, numbers are as long as they can be, and what may be missing is. Whether
/// the rest fits depends on nothing but the place, so each place that failed is remembered: the work is at most parts times
/// the text's length times that of a field, whatever the pattern.
struct NameMatcher {
    private let parts: [NamePart]
    private let text: [UInt8]
    private var fields = NameFields()
    /// One bit for each part and place that is known not to fit; made when a choice fails for the first time.
    private var failed: [UInt64] = []

    init(_ parts: [NamePart], _ text: [UInt8]) {
        (self.parts, self.text) = (parts, text)
    }

    /// The fields, or `nil` where the text does not fit.
    mutating func match() -> NameFields? {
        guard fits(0, 0) else { return nil }
        if let row = fields.row, let column = fields.column {
            fields.well = Well(row: row - 1, column: column)
        }
        return fields
    }

    private mutating func fits(_ part: Int, _ place: Int) -> Bool {
        guard part < parts.count else { return place == text.count }
        switch parts[part] {
        case .literal(let literal):
            return text[place...].starts(with: literal) && fits(part + 1, place + literal.count)
        case .caseless(let literal):
            return text[place...].prefix(literal.count).elementsEqual(literal, by: sameLetter)
                && fits(part + 1, place + literal.count)
        case .anyCharacter:
            guard place < text.count, text[place] != UInt8(ascii: "/") else { return false }
            let more = text[(place + 1)...].prefix(3).prefix { $0 & 0xC0 == 0x80 }
            return fits(part + 1, place + 1 + more.count)
        case .anyText: return choose(part, place, nil)
        case .optional(let count):
            guard !isKnownToFail(part, place) else { return false }
            if fits(part + 1 + count, place) || fits(part + 1, place) { return true }
            remember(part, place)
            return false
        case .field(let field, let width):
            return choose(part, place, field, width)
        }
    }

    /// How long a part may be at a place.
    private func lengths(_ place: Int, _ least: Int, _ most: Int, _ width: Int?) -> ClosedRange<Int>? {
        let there = text[place...].prefix(width ?? most).prefix { $0 != UInt8(ascii: "/") }.count
        let fewest = width ?? least
        return fewest <= there ? fewest...there : nil
    }

    private mutating func choose(_ part: Int, _ place: Int, _ field: NameField?, _ width: Int? = nil) -> Bool
    {
        let most = field?.longest ?? FramePattern.longestName
        guard let lengths = lengths(place, field == nil ? 0 : 1, most, width), !isKnownToFail(part, place)
        else { return false }
        let isLong = field?.isNumber ?? false
        for step in 0..<lengths.count {
            let length = isLong ? lengths.upperBound - step : lengths.lowerBound + step
            let value = text[place..<place + length]
            if isLong, !value.allSatisfy(isDigit) { continue }
            // The rest first: what follows a field mostly shows at its first byte that the field ends elsewhere.
            let before = fields
            guard fits(part + 1, place + length) else { continue }
            if field.map({ fields.set($0, value) }) ?? true { return true }
            fields = before
        }
        remember(part, place)
        // Text that may be of any length fails from each of its later places as well.
        if field == nil || field?.isText == true, width == nil {
            for later in place..<place + lengths.upperBound { remember(part, later) }
        }
        return false
    }

    private func isKnownToFail(_ part: Int, _ place: Int) -> Bool {
        guard !failed.isEmpty else { return false }
        let bit = part * (text.count + 1) + place
        return failed[bit / 64] & 1 << UInt64(bit % 64) != 0
    }

    private mutating func remember(_ part: Int, _ place: Int) {
        if failed.isEmpty { failed = Array(repeating: 0, count: parts.count * (text.count + 1) / 64 + 1) }
        let bit = part * (text.count + 1) + place
        failed[bit / 64] |= 1 << UInt64(bit % 64)
    }
}

extension NameField {
    /// Whether it is of digits only.
    fileprivate var isNumber: Bool {
        switch self {
        case .field, .plane, .frame, .column, .number: true
        case .run, .well, .row, .channel, .time, .guid: false
        }
    }

    /// Whether it is text of any kind.
    fileprivate var isText: Bool { self == .run || self == .channel }

    /// The most bytes of a value.
    fileprivate var longest: Int {
        switch self {
        case .run, .channel: FramePattern.longestName
        case .well, .row, .column: 4
        case .field, .plane: 9
        case .frame, .number: 18
        case .time: 24
        case .guid: 36
        }
    }
}

extension NameFields {
    /// Keeps a field's value if it can be one.
    fileprivate mutating func set(_ field: NameField, _ value: ArraySlice<UInt8>) -> Bool {
        let text = String(decoding: value, as: UTF8.self)
        switch field {
        case .run: run = text
        case .channel: channel = text
        case .well:
            well = Well(text)
            return well != nil
        case .row:
            row = value.allSatisfy(isDigit) ? Int(text) : Self.row(ofLetters: text)
            return row.map { Well(row: $0 - 1, column: 1) != nil } ?? false
        case .column:
            column = Int(text)
            return column.map { Well(row: 0, column: $0) != nil } ?? false
        case .field:
            self.field = Int(text)
            return self.field != nil
        case .plane:
            plane = Int(text)
            return plane != nil
        case .frame:
            index = Int(text)
            return index != nil
        case .time:
            index = NameTime.index(value)
            return index != nil
        case .guid: return Self.isGUID(value)
        case .number: break
        }
        return true
    }

    /// The row of letters, from 1; `nil` for anything else.
    private static func row(ofLetters text: String) -> Int? {
        text.utf8.contains(where: isDigit) ? nil : Well(text + "1").map { $0.row + 1 }
    }

    private static func isGUID(_ value: ArraySlice<UInt8>) -> Bool {
        value.count == 36
            && zip(0..., value).allSatisfy { place, byte in
                if [8, 13, 18, 23].contains(place) { return byte == UInt8(ascii: "-") }
                return isDigit(byte) || (UInt8(ascii: "a")...UInt8(ascii: "f")).contains(byte | 0x20)
            }
    }
}

/// Times in names.
enum NameTime {
    private static let units: [(letter: UInt8, seconds: Int)] = [
        (UInt8(ascii: "d"), 86_400), (UInt8(ascii: "h"), 3600), (UInt8(ascii: "m"), 60),
        (UInt8(ascii: "s"), 1),
    ]

    /// The position in time that a text says: minutes since the start, or since 1970 for a date; seconds where it says seconds.
    static func index(_ text: ArraySlice<UInt8>) -> Int? {
        var rest = text
        var days = 0
        if let year = number(UInt8(ascii: "y"), &rest) {
            guard let month = number(UInt8(ascii: "m"), &rest), let day = number(UInt8(ascii: "d"), &rest),
                (1970...9999).contains(year), (1...12).contains(month), (1...31).contains(day)
            else { return nil }
            days = Self.days(year, month, day)
            guard rest.first == UInt8(ascii: "_") else { return nil }
            rest = rest.dropFirst()
        }
        var (seconds, found) = (0, 0)
        for unit in units {
            guard let number = number(unit.letter, &rest) else { continue }
            seconds += number * unit.seconds
            found += 1
        }
        guard rest.isEmpty, found > 0 else { return nil }
        seconds += days * 86_400
        return text.last == UInt8(ascii: "s") ? seconds : seconds / 60
    }

    /// Takes up to six digits and their letter; seconds of a million days are far from what an integer holds.
    private static func number(_ letter: UInt8, _ rest: inout ArraySlice<UInt8>) -> Int? {
        let digits = rest.prefix(6).prefix(while: isDigit)
        guard !digits.isEmpty, rest.dropFirst(digits.count).first == letter else { return nil }
        rest = rest.dropFirst(digits.count + 1)
        return digits.reduce(0) { $0 * 10 + Int($1 - UInt8(ascii: "0")) }
    }

    /// Days since 1970-01-01 in the Gregorian calendar.
    private static func days(_ year: Int, _ month: Int, _ day: Int) -> Int {
        // March is the first month, so that a leap day is the last day of its year.
        let (year, month) = month > 2 ? (year, month - 3) : (year - 1, month + 9)
        return 365 * year + year / 4 - year / 100 + year / 400 + (153 * month + 2) / 5 + day - 719_469
    }
}

private func isDigit(_ byte: UInt8) -> Bool { byte >= UInt8(ascii: "0") && byte <= UInt8(ascii: "9") }
