public import Plate

extension ImageScores {
    private static let block = 8

    /// Takes the three scores of a median-filtered map.
    ///
    /// Windows of 16 x 16 start at multiples of 8 and lie wholly inside; a map too small for one is a window
    /// itself.
    public init(map: ScoreMap) {
        let total = map.values.reduce(into: 0.0) { $0 += Double($1) }
        let mean = total / Double(map.values.count)
        self.init(
            maximum: Double(map.values.reduce(-.infinity) { max($0, $1) }),
            mean: mean,
            patch: Self.largestWindow(of: map) ?? mean
        )
    }

    /// Four neighbouring blocks of 8 x 8 make a window, so each pixel is added once.
    private static func largestWindow(of map: ScoreMap) -> Double? {
        let rows = map.height / block
        let columns = map.width / block
        guard rows > 1, columns > 1 else { return nil }
        let sums = blockSums(of: map, rows: rows, columns: columns)
        var largest = -Double.infinity
        for row in 0..<rows - 1 {
            for column in 0..<columns - 1 {
                let corner = row * columns + column
                let upper = sums[corner] + sums[corner + 1]
                largest = max(largest, upper + sums[corner + columns] + sums[corner + columns + 1])
            }
        }
        return largest / Double(4 * block * block)
    }

    private static func blockSums(of map: ScoreMap, rows: Int, columns: Int) -> [Double] {
        var sums = [Double](repeating: 0, count: rows * columns)
        for row in 0..<rows * block {
            for column in 0..<columns {
                let start = row * map.width + column * block
                var sum = 0.0
                for offset in 0..<block { sum += Double(map.values[start + offset]) }
                sums[row / block * columns + column] += sum
            }
        }
        return sums
    }
}
