import Foundation
import Frames
import Plate
import TestSupport
import Testing

struct TIFFDamageTests {
    @Test func everyCutOfAFileIsSeenAsCut() async throws {
        try await withTemporaryFolder { folder in
            let (whole, cut) = (folder.appending(path: "whole.tif"), folder.appending(path: "cut.tif"))
            let frame = Frame(height: 9, width: 20, pixels: (0..<180).map { Float($0) })
            var files = [
                TIFFBuilder(width: 17, height: 9).bytes(),
                TIFFBuilder(width: 17, height: 9, isBig: true, tile: (16, 16)).bytes(),
            ]
            for compression in TIFFWriter.Compression.allCases {
                try TIFFWriter.write(frame, to: whole.path, compression: compression)
                files.append(try [UInt8](Data(contentsOf: whole)))
            }
            for file in files {
                try Data(file).write(to: cut)
                try TIFFStructure.check(path: cut.path)
                for length in 0..<file.count {
                    try Data(file[..<length]).write(to: cut)
                    let error = #expect(throws: TIFFError.self) { try TIFFStructure.check(path: cut.path) }
                    #expect(error?.code == .truncated, "\(length) of \(file.count): \(error?.detail ?? "")")
                    #expect(error?.isRetriable == true)
                    expectRefusal(cut.path, "\(length) of \(file.count)")
                }
            }
        }
    }

    @Test(.enabled(if: TestData.data != nil, "\(TestData.missingData)"))
    func cutsOfARealFrameAreSeen() async throws {
        let folder = try #require(TestData.data)
        let file = try Data(contentsOf: folder.appending(path: "complexeye/01_B1_f100.tiff"))
        try await withTemporaryFolder { temporary in
            let cut = temporary.appending(path: "cut.tiff")
            for length in stride(from: 1, to: file.count, by: file.count / 100) {
                try file[..<length].write(to: cut)
                expectRefusal(cut.path, "\(length) of \(file.count)")
                let error = #expect(throws: TIFFError.self) { try TIFFStructure.check(path: cut.path) }
                #expect(error?.code == .truncated)
            }
        }
    }

    @Test func aPageThatTakesTooLongIsRefusedWithItsTime() async throws {
        try await withTemporaryFolder { folder in
            let path = folder.appending(path: "slow.tif").path
            try Data(TIFFBuilder(width: 17, height: 9).bytes()).write(to: URL(filePath: path))
            let reader = try TIFFReader(path: path, limits: TIFFLimits(maximumDecodingTime: .zero))
            let error = #expect(throws: TIFFError.self) { try reader.frame(page: 0) }
            #expect(error?.code == .tooSlow && error?.isRetriable == false)
            #expect(error?.description.contains("page 0 is not decoded after 0 s") == true)
        }
    }

    private func expectRefusal(_ path: String, _ what: String) {
        do {
            _ = try TIFFReader(path: path).frame(page: 0)
            Issue.record("\(what) was read")
        } catch {
            #expect(error.code == .truncated || error.code == .damaged, "\(what): \(error)")
        }
    }

    @Test func changedBytesNeverCrash() async throws {
        try await withTemporaryFolder { folder in
            let url = folder.appending(path: "changed.tif")
            var random = SplitMix(state: 20)
            let limits = TIFFLimits(maximumPixels: 1 << 12, maximumDecodedBytes: 1 << 16)
            let seeds = TIFFLayoutTests.layouts(.init(bits: 16, isFloat: false)).map { $0.bytes() }
            for round in 0..<4000 {
                var file = seeds[round % seeds.count]
                for _ in 0..<Int.random(in: 1...6, using: &random) {
                    // Half of the changes hit the directory, at the end of these files.
                    let from = Bool.random(using: &random) ? max(0, file.count - 260) : 0
                    let at = Int.random(in: from..<file.count, using: &random)
                    file[at] =
                        [0, 1, 255, UInt8.random(in: 0...255, using: &random)].randomElement(using: &random)
                        ?? 0
                }
                try Data(file).write(to: url)
                _ = try? TIFFStructure.check(path: url.path, limits: limits)
                guard let reader = try? TIFFReader(path: url.path, limits: limits) else { continue }
                for page in 0..<min(reader.pageCount, 3) { _ = try? reader.frame(page: page) }
            }
        }
    }

    @Test func hugeClaimsAreRefusedBeforeMemoryIsTaken() async throws {
        let huge: [UInt16: (type: Int, values: [Int])] = [256: (4, [65_535]), 257: (4, [65_535])]
        await expect(.tooLarge, "65535 x 65535", TIFFBuilder(overrides: huge))
        let bomb: [UInt16: (type: Int, values: [Int])] = [
            256: (4, [16_384]), 257: (4, [16_384]), 278: (4, [16_384]),
        ]
        for compression in [1, 5, 8, 32773] {
            await expect(
                .damaged,
                "cannot hold",
                TIFFBuilder(rowsPerStrip: 23, compression: compression, overrides: bomb)
            )
        }
        let tiles: [UInt16: (type: Int, values: [Int])] = [322: (4, [1 << 20]), 323: (4, [1 << 20])]
        await expect(.tooLarge, "pieces", TIFFBuilder(tile: (48, 32), overrides: tiles))
    }

    @Test func limitsAreObeyed() async throws {
        let limits = [
            TIFFLimits(maximumWidth: 36), TIFFLimits(maximumHeight: 22), TIFFLimits(maximumPixels: 850),
            TIFFLimits(maximumPages: 1), TIFFLimits(maximumDecodedBytes: 850),
        ]
        for limit in limits { await expect(.tooLarge, "", TIFFBuilder(pages: 2), limits: limit) }
    }

    @Test func brokenChainsEnd() async throws {
        var bytes = TIFFBuilder(pages: 2).bytes()
        let first = bytes[4..<8]
        // Behind the last directory's entries stands its link; it is made to point to the first directory.
        let at = try #require(
            bytes.indices.dropLast(4).last { index in
                bytes[index..<index + 4].elementsEqual([0, 0, 0, 0])
                    && bytes[(index - 12)...].starts(with: [0x53, 1])
            }
        )
        bytes.replaceSubrange(at..<at + 4, with: first)
        try await withTemporaryFolder { folder in
            let url = folder.appending(path: "circle.tif")
            try Data(bytes).write(to: url)
            // The pages before are of use.
            let reader = try TIFFReader(path: url.path)
            #expect(reader.frames == [TimePoint(page: 0, time: 0), TimePoint(page: 1, time: 1)])
            #expect(reader.missing?.error.code == .damaged)
            #expect(reader.missing?.error.detail.contains("circle") == true)
        }
        await expect(.truncated, "no directory", bytes: [0x49, 0x49, 42, 0, 0, 0, 0, 0])
        await expect(.notTIFF, "does not begin", bytes: Array("no picture at all".utf8))
        await expect(.truncated, "header", bytes: [])
    }

    /// 2000 directories of 1000 unknown entries each, laid over each other in 20 KB: more work than file.
    @Test func overlappingDirectoriesAreRefused() async {
        var bytes = [UInt8](repeating: 0, count: 20_100)
        bytes.replaceSubrange(0..<8, with: [0x49, 0x49, 42, 0, 8, 0, 0, 0])
        for directory in 0..<2000 {
            let start = 8 + 4 * directory
            (bytes[start], bytes[start + 1]) = (0xE8, 0x03)
            let next = start + 4
            (bytes[start + 12_002], bytes[start + 12_003]) = (UInt8(next & 255), UInt8(next >> 8))
        }
        await expect(.damaged, "overlap", bytes: bytes)
    }

    @Test func pathsThatAreNoFilesAreRefusedAtOnce() async throws {
        try await withTemporaryFolder { folder in
            let pipe = folder.appending(path: "pipe").path
            let made = unsafe mkfifo(pipe, 0o600)
            #expect(made == 0)
            for path in [folder.path, folder.appending(path: "missing.tif").path, pipe] {
                let error = #expect(throws: TIFFError.self) { try TIFFReader(path: path) }
                #expect(error?.code == .cannotOpen)
                #expect(error?.isRetriable == false)
                #expect(error?.path == path)
            }
        }
    }

    private func expect(
        _ code: TIFFError.Code,
        _ reason: String,
        _ layout: TIFFBuilder,
        limits: TIFFLimits = .default
    ) async {
        await expect(code, reason, bytes: layout.bytes(), limits: limits)
    }

    private func expect(
        _ code: TIFFError.Code,
        _ reason: String,
        bytes: [UInt8],
        limits: TIFFLimits = .default
    ) async {
        let error = await #expect(throws: TIFFError.self, "\(reason)") {
            try await withTemporaryFolder { folder in
                let url = folder.appending(path: "frame.tif")
                try Data(bytes).write(to: url)
                return try TIFFReader(path: url.path, limits: limits).frame(page: 0)
            }
        }
        #expect(error?.code == code, "\(reason): \(error?.detail ?? "read")")
        #expect(reason.isEmpty || error?.detail.contains(reason) == true, "\(error?.detail ?? "read")")
    }
}

/// A small generator with a seed, so that every run changes the same bytes.
struct SplitMix: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}
