import Foundation
package import Plate

extension Timestamp {
    private static let nanosecondsPerDay: Int64 = 86_400 * 1_000_000_000

    /// UTC with milliseconds, cut off and not rounded, for example `2026-11-22T10:00:01.123Z`.
    package var iso8601: String {
        let day = Self.floorDivide(nanoseconds, Self.nanosecondsPerDay)
        let date = Self.date(ofDay: day)
        let millisecond = (nanoseconds - day * Self.nanosecondsPerDay) / 1_000_000
        let time = [millisecond / 3_600_000, millisecond / 60_000 % 60, millisecond / 1000 % 60]
        return "\(Self.digits(date.year, 4))-\(Self.digits(date.month, 2))-\(Self.digits(date.day, 2))T"
            + time.map { Self.digits($0, 2) }.joined(separator: ":")
            + ".\(Self.digits(millisecond % 1000, 3))Z"
    }

    /// Reads what `iso8601` writes; `nil` for anything else.
    package init?(iso8601 text: some StringProtocol) {
        let bytes = Array(text.utf8)
        let separators: [(Int, UInt8)] = [
            (4, UInt8(ascii: "-")), (7, UInt8(ascii: "-")), (10, UInt8(ascii: "T")), (13, UInt8(ascii: ":")),
            (16, UInt8(ascii: ":")), (19, UInt8(ascii: ".")), (23, UInt8(ascii: "Z")),
        ]
        guard bytes.count == 24, separators.allSatisfy({ bytes[$0.0] == $0.1 }) else { return nil }
        let fields = [0..<4, 5..<7, 8..<10, 11..<13, 14..<16, 17..<19, 20..<23].map { range in
            bytes[range].reduce(Int64?(0)) { sum, byte in
                let digit = Int64(byte) - Int64(UInt8(ascii: "0"))
                return (0...9).contains(digit) ? sum.map { $0 * 10 + digit } : nil
            }
        }
        let values = fields.compactMap { $0 }
        guard values.count == 7, (1970...2261).contains(values[0]), (1...12).contains(values[1]),
            (1...31).contains(values[2]), values[3] < 24, values[4] < 60, values[5] < 60
        else { return nil }
        let seconds = (values[3] * 60 + values[4]) * 60 + values[5]
        let day = Self.day(year: values[0], month: values[1], day: values[2])
        self.init(nanoseconds: ((day * 86_400 + seconds) * 1000 + values[6]) * 1_000_000)
    }

    // Days from and to the civil calendar: years are counted from 1 March, so that a leap day comes last, and
    // 400 years have 146,097 days. 719,468 days lie between 0000-03-01 and 1970-01-01.

    private static func day(year: Int64, month: Int64, day: Int64) -> Int64 {
        let shifted = month > 2 ? year : year - 1
        let era = floorDivide(shifted, 400)
        let yearOfEra = shifted - era * 400
        let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
        return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
    }

    private static func date(ofDay day: Int64) -> (year: Int64, month: Int64, day: Int64) {
        let shifted = day + 719_468
        let era = floorDivide(shifted, 146_097)
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let monthFromMarch = (5 * dayOfYear + 2) / 153
        let month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9
        let year = era * 400 + yearOfEra + (month <= 2 ? 1 : 0)
        return (year, month, dayOfYear - (153 * monthFromMarch + 2) / 5 + 1)
    }

    private static func floorDivide(_ value: Int64, _ divisor: Int64) -> Int64 {
        value >= 0 ? value / divisor : -((-value + divisor - 1) / divisor)
    }

    private static func digits(_ value: Int64, _ count: Int) -> String {
        let text = String(value)
        return String(repeating: "0", count: max(0, count - text.count)) + text
    }
}

extension Timestamp {
    /// The time of day.
    package static var now: Timestamp {
        var time = timespec()
        unsafe clock_gettime(CLOCK_REALTIME, &time)
        return Timestamp(nanoseconds: Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec))
    }
}
