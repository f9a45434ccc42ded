import Foundation
package import Plate

extension Timestamp {
    /// UTC with milliseconds, cut off and not rounded, for example `2026-11-22T10:00:01.123Z`.
    package var iso8601: String {
        var seconds = Int(nanoseconds / 1_000_000_000)
        var rest = nanoseconds % 1_000_000_000
        if rest < 0 { (seconds, rest) = (seconds - 1, rest + 1_000_000_000) }
        var parts = unsafe tm()
        unsafe gmtime_r(&seconds, &parts)
        let day = unsafe [
            (parts.tm_year + 1900).digits(4), (parts.tm_mon + 1).digits(2), parts.tm_mday.digits(2),
        ]
        let time = unsafe [parts.tm_hour, parts.tm_min, parts.tm_sec].map { $0.digits(2) }
        return "\(day.joined(separator: "-"))T\(time.joined(separator: ":")).\((rest / 1_000_000).digits(3))Z"
    }

    /// The time of day on this machine with its zone, for example `11:00:01 CET`.
    package var localClock: String { local("%H:%M:%S %Z") }

    /// Day and time on this machine with its zone, for example `2026-11-22 11:00:01 CET`.
    package var localTime: String { local("%Y-%m-%d %H:%M:%S %Z") }

    /// The day on this machine, for example `2026-11-22`.
    package var localDay: String { local("%Y-%m-%d") }

    private func local(_ format: String) -> String {
        var seconds = Int(nanoseconds / 1_000_000_000)
        var parts = unsafe tm()
        unsafe localtime_r(&seconds, &parts)
        var text = [CChar](repeating: 0, count: 64)
        let length = unsafe strftime(&text, text.count, format, &parts)
        return String(decoding: text.prefix(length).map { UInt8(bitPattern: $0) }, as: UTF8.self)
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
            bytes[range].reduce(Int32?(0)) { sum, byte in
                let digit = Int32(byte) - Int32(UInt8(ascii: "0"))
                return (0...9).contains(digit) ? sum.map { $0 * 10 + digit } : nil
            }
        }
        let values = fields.compactMap { $0 }
        guard values.count == 7, (1677...2262).contains(values[0]), (1...12).contains(values[1]),
            (1...31).contains(values[2]), values[3] < 24, values[4] < 60, values[5] < 60
        else { return nil }
        var parts = unsafe tm()
        unsafe (parts.tm_year, parts.tm_mon, parts.tm_mday) = (values[0] - 1900, values[1] - 1, values[2])
        unsafe (parts.tm_hour, parts.tm_min, parts.tm_sec) = (values[3], values[4], values[5])
        let seconds = unsafe Int64(timegm(&parts))
        self.init(nanoseconds: (seconds * 1000 + Int64(values[6])).saturatingMultiply(1_000_000))
    }

    /// The time of day.
    package static var now: Timestamp {
        var time = timespec()
        unsafe clock_gettime(CLOCK_REALTIME, &time)
        // A clock may be set to any time.
        return Timestamp(
            nanoseconds: Int64(time.tv_sec).saturatingMultiply(1_000_000_000).saturatingAdd(
                Int64(time.tv_nsec)
            )
        )
    }
}
