import Foundation
import Frames
import Plate
import TestSupport
import Testing

/// The dresses that the same grey values come in.
struct GreyKindsTests {
    private func read(_ builder: TIFFBuilder) async throws -> Frame {
        try await withTemporaryFolder { folder in
            let url = folder.appending(path: "frame.tif")
            try Data(builder.bytes()).write(to: url)
            try TIFFStructure.check(path: url.path)
            return try TIFFReader(path: url.path).frame(page: 0)
        }
    }

    private func expectRead(_ builder: TIFFBuilder, _ grey: (Double) -> Double = { $0 }) async throws {
        let frame = try await read(builder)
        let expected = (0..<builder.height).flatMap { row in
            (0..<builder.width).map { Float(grey(builder.value(0, row, $0, 0))) }
        }
        #expect(frame.pixels == expected, "\(builder)")
    }

    @Test(arguments: [2, 3, 4, 6, 7, 9, 10, 12, 14, 15], [1, 8, 5, 32773])
    func packedSamplesAreUnpacked(bits: Int, compression: Int) async throws {
        var builder = TIFFBuilder(bits: bits, compression: compression)
        builder.value = { _, row, column, _ in Double((row * 7 + column * 3) % (1 << bits)) }
        try await expectRead(builder)
        builder.tile = (32, 16)
        try await expectRead(builder)
        (builder.photometric, builder.isBigEndian) = (0, true)
        try await expectRead(builder) { Double(1 << bits - 1) - $0 }
    }

    /// Cameras of 12 bits whose samples lie in words of 16.
    @Test(arguments: [10, 12, 14]) func wordsAreNotPacked(bits: Int) async throws {
        var builder = TIFFBuilder(bits: 16, overrides: [258: (3, [bits])])
        builder.value = { _, row, column, _ in Double((row * 71 + column * 31) % (1 << bits)) }
        try await expectRead(builder)
        (builder.isBigEndian, builder.photometric) = (true, 0)
        try await expectRead(builder) { Double(1 << bits - 1) - $0 }
    }

    @Test(arguments: [8, 16, 32]) func signedSamplesKeepTheirValues(bits: Int) async throws {
        var builder = TIFFBuilder(bits: bits, isBigEndian: true)
        (builder.isSigned, builder.value) = (true, { _, row, column, _ in Double(row - column) })
        try await expectRead(builder)
        builder.compression = 8
        try await expectRead(builder)
    }

    @Test func halvesAreFloats() async throws {
        var builder = TIFFBuilder(bits: 16, isFloat: true)
        builder.value = { _, row, column, _ in Double(row) / 32 - Double(column) / 64 }
        try await expectRead(builder)
    }

    @Test func whiteIsTheLargestValueThatIsMeant() async throws {
        for (maximum, white) in [(4095, 4095.0), (3800, 4095), (1000, 1023), (65_535, 65_535), (200, 65_535)]
        {
            let builder = TIFFBuilder(bits: 16, photometric: 0, overrides: [281: (3, [maximum])])
            try await expectRead(builder) { white - $0 }
        }
        var described = TIFFBuilder(bits: 16, photometric: 0)
        let text =
            "<OME><Pixels SignificantBits='12' SizeX='37' SizeY='23' SizeC='1' SizeZ='1' SizeT='1'/></OME>"
        described.overrides[270] = (2, Array(text.utf8).map(Int.init) + [0])
        try await expectRead(described) { 4095 - $0 }
    }

    @Test func aPaletteOfGreysIsGrey() async throws {
        func palette(_ ramp: [Int], _ green: [Int]? = nil) -> TIFFBuilder {
            TIFFBuilder(overrides: [262: (3, [3]), 320: (3, ramp + (green ?? ramp) + ramp)])
        }
        let ramp = (0..<256).map { $0 * 257 }
        try await expectRead(palette(ramp))
        try await expectRead(palette((0..<256).map { $0 * 256 }))
        try await expectRead(palette(ramp.reversed())) { 255 - $0 }
        for (palette, reason) in [
            (palette(ramp, ramp.map { $0 / 2 }), "a palette"),
            (palette(ramp.map { $0 * $0 / 65_535 }), "no even ramp"),
            (palette(ramp.map { _ in 700 }), "a palette"),
        ] {
            let error = await #expect(throws: TIFFError.self) { try await read(palette) }
            #expect(error?.code == .colour && error?.detail.contains(reason) == true)
            #expect(error?.description.contains("convert IN.tif -colorspace Gray") == true)
        }
    }

    @Test(arguments: [false, true]) func samplesThatAgreeAreGrey(isPlanar: Bool) async throws {
        for (samples, photometric) in [(2, 1), (3, 1), (3, 2), (3, 0)] {
            let builder = TIFFBuilder(samples: samples, photometric: photometric, isPlanar: isPlanar)
            try await expectRead(builder) { photometric == 0 ? 255 - $0 : $0 }
        }
        var transparent = TIFFBuilder(samples: 2, isPlanar: isPlanar, overrides: [338: (3, [2])])
        transparent.value = { _, row, _, sample in Double(sample == 0 ? row : 255) }
        try await expectRead(transparent)
        transparent.overrides = [:]
        let error = await #expect(throws: TIFFError.self) { try await read(transparent) }
        #expect(error?.code == .layout && error?.detail.contains("2 samples a pixel that differ") == true)
    }

    // MARK: Directories that are wrong

    @Test func lengthsOfPlainStripsFollowFromThePixels() async throws {
        for counts in [[0, 0, 0, 0], [9999, 259, 259, 74], [1, 259, 259, 74]] {
            try await expectRead(TIFFBuilder(overrides: [279: (4, counts)]))
        }
        var none = TIFFBuilder(rowsPerStrip: 23, overrides: [278: (4, [0xFFFF_FFFF])])
        none.omitted = [279]
        try await expectRead(none)
        // Without a photometric interpretation one sample is grey.
        none.omitted = [262]
        try await expectRead(none)
    }

    @Test func theFillOrderIsObeyed() async throws {
        var builder = TIFFBuilder(overrides: [266: (3, [2])])
        builder.value = { _, _, column, _ in Double([1, 2, 4, 128][column % 4]) }
        try await expectRead(builder) { [1: 128.0, 2: 64, 4: 32, 128: 1][$0] ?? 0 }
    }
}
