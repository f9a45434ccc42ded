import Plate
import Rules
import Testing

/// What comes into view among cells that move.
struct ArrivalTests {
    /// Cells, 5 x 5 blocks each, that go one block to the right with each frame.
    private static let cells = (0..<12).map { (row: 9 + $0 / 4 * 20, column: 10 + $0 % 4 * 28) }
    private static let (rows, columns) = (70, 140)

    /// The frame of a number; a speck of some blocks lies where it is said to.
    private func frame(_ number: Int, speck: (row: Int, column: Int)? = nil, logit: Float = 5) -> FrameDetail
    {
        var values = [UInt8](repeating: 3, count: Self.rows * Self.columns)
        func draw(_ row: Int, _ column: Int, _ value: UInt8) {
            for r in max(row, 0)..<min(row + 5, Self.rows) {
                for c in max(column, 0)..<min(column + 5, Self.columns) {
                    values[r * Self.columns + c] = value
                }
            }
        }
        for cell in Self.cells { draw(cell.row, cell.column + number, 60) }
        if let speck { draw(speck.row, speck.column, 40) }
        let tiles = FrameDetail.Tiles(
            side: 32,
            columns: 17,
            faultLogits: (0..<8 * 17).map { $0 % 17 == 8 ? logit : -6 }
        )
        return FrameDetail(rows: Self.rows, columns: Self.columns, values: values, tiles: tiles)
    }

    private func expect(
        _ frame: FrameDetail,
        by rule: inout ArrivalRule,
        size isRight: (Double) -> Bool
    ) throws {
        let arrival = rule.add(frame)
        #expect(isRight(try #require(arrival).size))
    }

    @Test func cellsThatMoveAreNotNew() throws {
        var rule = ArrivalRule()
        rule.settle(on: frame(0))
        for number in 1..<8 {
            try expect(frame(number), by: &rule) { $0 < 1 }
            rule.settle(on: frame(number))
        }
    }

    @Test func aSpeckIsNewWhereItLiesAsLongAsItDoes() throws {
        var rule = ArrivalRule()
        rule.settle(on: frame(0))
        for number in 1..<6 {
            let found = rule.add(frame(number, speck: (19, 65)))
            let arrival = try #require(found)
            // 40 above a background of 3, in half hundredths.
            #expect((17...19).contains(arrival.size))
            #expect((arrival.x, arrival.y) == (270, 86))
        }
        try expect(frame(6), by: &rule) { $0 < 1 }
    }

    @Test func whatMovesOnIsNewForOneFrame() throws {
        var rule = ArrivalRule()
        rule.settle(on: frame(0))
        try expect(frame(1, speck: (19, 65)), by: &rule) { $0 > 10 }
        try expect(frame(2, speck: (39, 95)), by: &rule) { $0 < 1 }
    }

    @Test func whatComesInOverTheBorderIsNotNew() throws {
        var rule = ArrivalRule()
        rule.settle(on: frame(0))
        for speck in [(-1, 50), (33, -1), (33, 137), (67, 50)] {
            try expect(frame(1, speck: speck), by: &rule) { $0 < 1 }
            rule.settle(on: frame(0))
        }
    }

    @Test func withoutAFrameOfTheSameSizeNothingIsKnown() {
        var rule = ArrivalRule()
        #expect(rule.add(frame(0)) == nil)
        rule.settle(on: FrameDetail(rows: 70, columns: 130, values: .init(repeating: 3, count: 9100)))
        #expect(rule.add(frame(1)) == nil)
        rule.settle(on: nil)
        #expect(rule.add(frame(2)) == nil)
        let tiny = FrameDetail(rows: 1, columns: 2, values: [1, 2])
        rule.settle(on: tiny)
        #expect(rule.add(tiny) == nil)
    }

    /// What a well of such frames is told to have, with a speck from frame 20 on.
    private func told(logit: Float, batch: Int = 1) -> [String] {
        let frames = (0..<30).map { number in
            var judgement = Judgement(
                verdict: .normal,
                severity: 1,
                threshold: 4,
                terms: [SeverityContribution(term: "term", value: 0)],
                scores: nil,
                score: 0.1,
                area: 0,
                boundingBox: nil,
                appearance: [0]
            )
            judgement.detail = frame(number, speck: number < 20 ? nil : (19, 65), logit: logit)
            return judgement
        }
        return KeptWell.told(frames, batch: batch)
    }

    @Test(arguments: [1, 3, 30]) func aSpeckThatLooksLikeAFaultIsAnOnsetThatSaysWhere(batch: Int) {
        let reason =
            "weak but lasting: 3 frames in a row are unlike the well's frames before them; something new is at x=270 y=86"
        #expect(told(logit: 5, batch: batch) == ["ONSET 22 20 19 \(reason)"])
    }

    @Test func aCellThatSettlesIsNone() {
        #expect(told(logit: -4).isEmpty)
    }
}
