import Foundation
import Frames
import Plate
import TestSupport
import Testing

struct TIFFLayoutTests {
    struct Kind: CustomStringConvertible, Sendable {
        let bits: Int
        let isFloat: Bool
        var description: String { "\(bits)\(isFloat ? " float" : "")" }
    }

    static let kinds = [
        Kind(bits: 8, isFloat: false), Kind(bits: 16, isFloat: false), Kind(bits: 32, isFloat: false),
        Kind(bits: 32, isFloat: true), Kind(bits: 64, isFloat: true),
    ]

    /// Every compression and predictor in every arrangement, for one kind of sample; byte order and offset
    /// size change from one layout to the next.
    static func layouts(_ kind: Kind) -> [TIFFBuilder] {
        var layouts: [TIFFBuilder] = []
        for (compression, predictor) in [
            (1, 1), (32773, 1), (5, 1), (5, 2), (5, 3), (8, 1), (8, 2), (8, 3), (32946, 1), (50000, 1),
            (50000, 2), (50000, 3),
        ] where predictor < 3 || kind.isFloat {
            for (samples, isPlanar) in [(1, false), (3, false), (3, true), (4, true)] {
                for isTiled in [false, true] {
                    var layout = TIFFBuilder(width: 21, height: 18, bits: kind.bits, isFloat: kind.isFloat)
                    (layout.compression, layout.predictor) = (compression, predictor)
                    (layout.samples, layout.isPlanar) = (samples, isPlanar)
                    layout.photometric = samples == 1 ? 1 : 2
                    if isTiled { layout.tile = (16, 16) }
                    let order = (layouts.count + layouts.count / 8) % 4
                    (layout.isBigEndian, layout.isBig) = (order % 2 == 1, order / 2 == 1)
                    layouts.append(layout)
                }
            }
        }
        return layouts
    }

    @Test(arguments: kinds) func everyLayoutReadsAsItWasMade(kind: Kind) async throws {
        try await withTemporaryFolder { folder in
            let path = folder.appending(path: "frame.tif").path
            for layout in Self.layouts(kind) {
                try Data(layout.bytes()).write(to: URL(filePath: path))
                try TIFFStructure.check(path: path)
                let frame = try TIFFReader(path: path).frame(page: 0)
                let expected = (0..<layout.height).flatMap { row in
                    (0..<layout.width).map { Float(layout.value(0, row, $0, 0)) }
                }
                #expect(frame.pixels == expected, "\(layout)")
            }
        }
    }

    @Test func zeroIsWhiteIsTurnedAround() async throws {
        for (bits, white) in [(8, Float(255)), (16, 65_535)] {
            let frame = try await read(TIFFBuilder(bits: bits, photometric: 0))
            #expect(frame[0, 0] == white)
            #expect(frame[1, 1] == white - 10)
        }
        await expect(.unsupported, "no black", TIFFBuilder(bits: 32, isFloat: true, photometric: 0))
    }

    @Test(arguments: [false, true]) func colourIsRefused(isPlanar: Bool) async throws {
        var layout = TIFFBuilder(samples: 3, photometric: 2, isPlanar: isPlanar)
        layout.value = { _, row, column, sample in row == 20 && column == 30 ? Double(sample) : 7 }
        await expect(.colour, "in colour", layout)
    }

    @Test func pagesAreFramesOfOneSize() async throws {
        try await withTemporaryFolder { folder in
            let path = folder.appending(path: "movie.tif").path
            let layout = TIFFBuilder(isBigEndian: true, pages: 5)
            try Data(layout.bytes()).write(to: URL(filePath: path))
            let reader = try TIFFReader(path: path)
            #expect(reader.pageCount == 5)
            for page in [4, 0, 2] {
                #expect(try reader.frame(page: page)[3, 4] == Float(layout.value(page, 3, 4, 0)))
            }
        }
    }

    @Test func aPageOfAnotherSizeIsRefusedAlone() async throws {
        try await withTemporaryFolder { folder in
            let path = folder.appending(path: "movie.tif").path
            // The second page, in the middle of the file, is made narrower by its width tag.
            var bytes = TIFFBuilder(rowsPerStrip: 23, pages: 2).bytes()
            let tag: [UInt8] = [0, 1, 4, 0, 1, 0, 0, 0, 37]
            let at = try #require(bytes.indices.last { bytes[$0...].starts(with: tag) })
            bytes[at + 8] = 36
            try Data(bytes).write(to: URL(filePath: path))
            let reader = try TIFFReader(path: path)
            _ = try reader.frame(page: 0)
            let error = #expect(throws: TIFFError.self) { try reader.frame(page: 1) }
            #expect(error?.code == .unsupported)
            #expect(error?.detail.contains("36 x 23") == true)
        }
    }

    @Test func otherKindsAreRefusedWithAReason() async {
        let cases: [(String, [UInt16: (type: Int, values: [Int])])] = [
            ("JPEG", [259: (3, [7])]), ("palette", [262: (3, [3])]), ("24 bit", [258: (3, [24])]),
            ("method 4711", [259: (3, [4711])]), ("1 bit", [258: (3, [1])]),
            ("volume", [32997: (4, [3])]), ("predictor 3", [259: (3, [5]), 317: (3, [3])]),
            ("complex", [339: (3, [6])]),
        ]
        for (reason, tags) in cases {
            await expect(.unsupported, reason, TIFFBuilder(overrides: tags))
        }
        await expect(.colour, "CMYK", TIFFBuilder(overrides: [262: (3, [5])]))
    }

    @Test func valuesThatAreNotNumbersAreDamage() async {
        var layout = TIFFBuilder(bits: 32, isFloat: true)
        layout.value = { _, row, _, _ in row == 3 ? .nan : 1 }
        await expect(.damaged, "not finite", layout)
    }

    private func read(_ layout: TIFFBuilder) async throws -> Frame {
        try await withTemporaryFolder { folder in
            let url = folder.appending(path: "frame.tif")
            try Data(layout.bytes()).write(to: url)
            return try TIFFReader(path: url.path).frame(page: 0)
        }
    }

    private func expect(_ code: TIFFError.Code, _ reason: String, _ layout: TIFFBuilder) async {
        let error = await #expect(throws: TIFFError.self, "\(reason)") { try await read(layout) }
        #expect(error?.code == code, "\(reason): \(error?.detail ?? "read")")
        #expect(error?.detail.contains(reason) == true, "\(error?.detail ?? "read")")
    }
}
