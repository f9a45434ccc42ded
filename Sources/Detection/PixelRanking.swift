import Plate

/// Sorts the pixels of many maps: a benchmark has 150 million, which a comparison sort takes minutes over.
///
/// The bits of floats that are not negative rise with their value and leave one bit free, which takes the
/// truth.
enum PixelRanking {
    private static let digitBits = 11
    private static let digitCount = 1 << digitBits

    /// One key per pixel, the highest score first.
    static func descendingKeys(maps: [ScoreMap], masks: [Mask]) -> [UInt32] {
        var keys: [UInt32] = []
        keys.reserveCapacity(maps.reduce(0) { $0 + $1.values.count })
        for (map, mask) in zip(maps, masks) {
            for (value, truth) in zip(map.values, mask.values) {
                precondition(value >= 0, "a residual of \(value)")
                keys.append((value + 0).bitPattern << 1 | UInt32(truth))
            }
        }
        var spare = [UInt32](repeating: 0, count: keys.count)
        for shift in stride(from: 0, to: UInt32.bitWidth, by: digitBits) {
            sort(keys, by: shift, into: &spare)
            swap(&keys, &spare)
        }
        return keys
    }

    /// The score within a key.
    static func score(_ key: UInt32) -> Double { Double(Float(bitPattern: key >> 1)) }

    /// The truth within a key.
    static func isFaulty(_ key: UInt32) -> Bool { key & 1 == 1 }

    /// One stable pass of a radix sort over eleven bits, falling.
    private static func sort(_ keys: [UInt32], by shift: Int, into sorted: inout [UInt32]) {
        let digit = { (key: UInt32) in digitCount - 1 - Int(key >> UInt32(shift)) & (digitCount - 1) }
        var places = [Int](repeating: 0, count: digitCount + 1)
        for key in keys { places[digit(key) + 1] += 1 }
        for index in 1...digitCount { places[index] += places[index - 1] }
        for key in keys {
            sorted[places[digit(key)]] = key
            places[digit(key)] += 1
        }
    }
}
