import Plate
import TestSupport
import Testing

@testable import Verdict

struct WindowMeanTests {
    @Test(arguments: [
        (1, 1, 1), (5, 9, 2), (7, 4, 3), (20, 33, 16), (3, 3, 40), (37, 41, 5), (70, 131, 64), (9, 300, 27),
    ])
    func agreesWithTheDefinition(height: Int, width: Int, window: Int) {
        var random = TestGenerator(seed: 3)
        let map = ScoreMap(height: height, width: width, values: random.floats(height * width, in: 0...1))
        let expected = (0..<height * width).map { index in
            let rows = max(index / width - window / 2, 0)..<min(index / width + window - window / 2, height)
            let columns = max(index % width - window / 2, 0)..<min(index % width + window - window / 2, width)
            var total: Float = 0
            for row in rows { for column in columns { total += map.values[row * width + column] } }
            return total / Float(rows.count * columns.count)
        }
        #expect(relativeError(map.windowMean(window).values, expected) < 1e-5)
    }

    @Test(arguments: [(1, 1, 1), (5, 9, 2), (20, 33, 16), (37, 41, 1), (3, 3, 40), (70, 131, 64)])
    func itsMaskIsThatOfTheMean(height: Int, width: Int, window: Int) {
        let map = ScoreMap(height: height, width: width, values: randomValues(height * width, seed: 5))
        let means = map.windowMean(window).values
        // Limits that are a mean themselves: a last bit of difference would show.
        for limit in means.prefix(50) {
            let mask = map.mask(ofWindowMean: window, above: limit)
            #expect(mask.values == means.map { $0 > limit ? 1 : 0 })
        }
    }
}
