import Foundation
import Frames
import Plate
import TestSupport
import Testing

@Suite(.enabled(if: TestData.data != nil, "\(TestData.missingData)"))
struct TIFFCorpusTests {
    /// Its byte counts are damaged; tifffile reads one strip of six then, and here all are read.
    static let knownToBeMended: Set = [
        "image-tiff/fuzz_images/oor_panic/id=000019,sig=06,src=000001,op=havoc,rep=8"
    ]

    @Test func everyFileMatchesTheReferenceOrIsRefusedWithAReason() throws {
        var counts: [String: Int] = [:]
        for entry in try CorpusEntry.all() {
            do {
                let frame = try TIFFReader(path: entry.path).frame(page: 0)
                let outcome = entry.isComparable ? "decoded and matched" : "decoded with no reference"
                counts[outcome, default: 0] += 1
                expectMatch(frame, entry)
            } catch {
                counts["refused as \(error.code)", default: 0] += 1
                expectReason(error, entry)
            }
        }
        for (what, count) in counts.sorted(by: { $0.key < $1.key }) { print("corpus: \(count) \(what)") }
        #expect(counts["decoded and matched", default: 0] >= 115)
    }

    /// The reference gives the mean as stored; frames of white-is-zero files are turned around.
    private func expectMatch(_ frame: Frame, _ entry: CorpusEntry) {
        guard entry.isComparable, !Self.knownToBeMended.contains(entry.file), let stored = entry.mean else {
            return
        }
        let mean = frame.pixels.reduce(0.0) { $0 + Double($1) } / Double(frame.pixels.count)
        let expected = entry.photometric == "MINISWHITE" ? entry.whites.map { $0 - stored } : [stored]
        let isMatch = expected.contains { abs(mean - $0) <= 1e-5 * max(abs($0), abs(stored)) }
        #expect(isMatch, "\(entry.file): \(mean)")
    }

    /// Of what the reference read, only 24 bits, packed samples with a predictor and volumes are refused.
    private func expectReason(_ error: TIFFError, _ entry: CorpusEntry) {
        #expect(!error.detail.isEmpty && error.description.hasSuffix("."))
        guard entry.isOurs else { return }
        let isKnown = ["samples of 24 bit", "predictor 2", "a volume"].contains { error.detail.hasSuffix($0) }
        #expect(error.code == .unsupported && isKnown, "\(error)")
    }

    @Test func nothingIsSaidOnStandardError() async throws {
        let result = await #expect(processExitsWith: .success, observing: [\.standardErrorContent]) {
            let entries = try CorpusEntry.all()
            precondition(!entries.isEmpty, "the child process does not see the corpus")
            for entry in entries {
                _ = try? TIFFReader(path: entry.path).frame(page: 0)
                _ = try? TIFFStructure.check(path: entry.path)
            }
        }
        #expect(String(decoding: result?.standardErrorContent ?? [], as: UTF8.self) == "")
    }

    @Test func realFramesAreRead() throws {
        let folder = try #require(TestData.data)
        for name in ["01_A1_f300.tiff", "01_B1_f100.tiff"] {
            let path = folder.appending(path: "complexeye/\(name)").path
            try TIFFStructure.check(path: path)
            let reader = try TIFFReader(path: path)
            let frame = try reader.frame(page: 0)
            #expect(frame.width == 1280 && frame.height == 800)
            // These files carry OME-XML that leaves the sizes out.
            #expect(reader.pixelSize == nil && reader.timeInterval == nil)
            #expect(reader.imageDescription?.contains("SizeX=\"1280\"") == true)
        }
    }

    @Test func theMovieHasElevenFrames() throws {
        let folder = try #require(TestData.data)
        let reader = try TIFFReader(path: folder.appending(path: "complexeye/movie_11x190x250.tiff").path)
        #expect(reader.pageCount == 11)
        let frames = try (0..<11).map { page in try reader.frame(page: page) }
        #expect(frames.allSatisfy { $0.width == 250 && $0.height == 190 })
        #expect(Set(frames.map { $0.pixels.reduce(0, +) }).count == 11)
    }
}
