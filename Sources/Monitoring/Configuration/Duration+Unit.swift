import Plate

extension Duration {
    private static let units = [("h", 3_600_000), ("m", 60_000), ("s", 1000), ("ms", 1)]
    private static let longest = 366 * 24 * 3_600_000.0

    /// Reads `500ms`, `2s`, `1.5m` or `1h`, and `0`; up to a year.
    init?(withUnit text: String) {
        let number = text.prefix { $0.isNumber || $0 == "." }
        let unit = text == "0" ? 1 : Self.units.first { $0.0 == text.dropFirst(number.count) }?.1
        guard let unit, let value = Double(number), value * Double(unit) <= Self.longest else { return nil }
        self = .milliseconds(Int(saturating: (value * Double(unit)).rounded()))
    }

    /// The time in whole hours, minutes, seconds or milliseconds, for example `2s`; `0` for none.
    func withUnit(after space: String = "") -> String {
        let time = (self + .microseconds(500)).wholeMilliseconds
        guard time != 0, let (unit, size) = Self.units.first(where: { time % $0.1 == 0 }) else { return "0" }
        return "\(time / size)\(space)\(unit)"
    }
}
