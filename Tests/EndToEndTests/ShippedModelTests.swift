import Detection
import Foundation
import Frames
import Plate
import TestSupport
import Testing

struct ShippedModelTests {
    private func judge(_ paths: [String]) throws -> [Judgement] {
        let detector = try Detector(path: Program.model)
        return try paths.map { detector.judge(try TIFFReader(path: $0).frame(page: 0)) }
    }

    @Test func theExampleFramesAreToldApart() throws {
        let frames = ["01_A1_f300", "01_B1_f100"].map {
            packageRoot.appending(path: "examples/frames/\($0).tiff").path
        }
        let judgements = try judge(frames)
        #expect(judgements[0].verdict == .normal)
        #expect(judgements[1].verdict == .faulty)
    }

    @Test(.enabled(if: TestData.data != nil, Comment(rawValue: TestData.missingData)))
    func theBubblesMaskIsWhereThePublishedOneIs() throws {
        let folder = try #require(TestData.data).appending(path: "complexeye")
        let judgement = try judge([folder.appending(path: "01_B1_f100.tiff").path])[0]
        let found = try #require(judgement.pictures?.mask)
        let published = try TIFFReader(path: folder.appending(path: "mask/01_B1_f100.tiff").path).frame(
            page: 0
        )
        let truth = published.pixels.map { $0 > 0 }
        let both = zip(found.values, truth).reduce(0) { $0 + ($1.0 == 1 && $1.1 ? 1 : 0) }
        let sizes = found.values.reduce(0) { $0 + Int($1) } + truth.reduce(0) { $0 + ($1 ? 1 : 0) }
        let dice = 2 * Double(both) / Double(sizes)
        #expect(dice >= 0.6)
    }

    @Test(.enabled(if: TestData.data != nil, Comment(rawValue: TestData.missingData)))
    func aNormalSeriesThatWasNeverTrainedOnIsNormal() throws {
        let folder = try #require(TestData.data).appending(path: "hsc_brightfield")
        let names = try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted()
        let frames = names.filter { $0.hasSuffix(".tiff") }
        let unseen = frames.suffix(frames.count / 3).map { folder.appending(path: $0).path }
        let flagged = try judge(unseen).filter { $0.verdict == .faulty }
        #expect(Double(flagged.count) <= Double(unseen.count) / 20)
    }
}
