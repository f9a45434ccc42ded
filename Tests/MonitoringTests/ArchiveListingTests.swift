import Acquisition
import Foundation
import Plate
import TestSupport
import Testing

@testable import Monitoring

/// Which files of an archive are judged, and by which part.
@Suite struct ArchiveListingTests {
    @Test func everyWellFallsToOnePartWhateverTheNumberOfParts() throws {
        for count in [1, 2, 16, 64] {
            let shards = try (1...count).map { try #require(Shard("\($0)/\(count)")) }
            var wells = [Int](repeating: 0, count: count)
            for run in ["01", "7", "plate é"] {
                for row in 0..<16 {
                    for column in 1...24 {
                        let well = try #require(Well(row: row, column: column))
                        let takers = shards.indices.filter { shards[$0].has(well, of: run) }
                        #expect(takers.count == 1)
                        wells[takers[0]] += 1
                    }
                }
            }
            // None is idle, and none has most of the work.
            let mean = Double(wells.reduce(0, +)) / Double(count)
            #expect(wells.allSatisfy { Double($0) > mean / 3 && Double($0) < mean * 3 }, "\(wells)")
        }
    }

    @Test(arguments: [
        "", "3", "3/", "/16", "0/4", "5/4", "-1/4", "1/0", "1/4/2", "a/b", "1/99999999999999999999",
    ])
    func whatIsNoPartIsRefused(text: String) {
        #expect(Shard(text) == nil)
    }

    @Test func foldersAndListsGiveTheSameFramesInOneOrder() async throws {
        try await withTemporaryFolder { folder in
            let names = [
                "01_B2_f2.tiff", "01_B2_f10.tiff", "01_A1_f1.tiff", "02_A1_f1.tif", "notes.txt", "odd.tiff",
            ]
            for name in names { try Data("x".utf8).write(to: folder.appending(path: name)) }
            let out = folder.appending(path: "out")
            try FileManager.default.createDirectory(at: out, withIntermediateDirectories: true)
            try Data("x".utf8).write(to: out.appending(path: "01_A1_f9.tiff"))
            func listing(_ paths: [String], _ shard: Shard = .whole) throws -> ArchiveListing {
                ArchiveListing(
                    paths,
                    pattern: try FramePattern(),
                    choice: PlaneChoice(),
                    shard: shard,
                    output: out.path
                )
            }
            let whole = try listing([folder.path])
            let frames = whole.wells.map { $0.map(\.frame.description) }
            #expect(frames == [["01_A01_f1"], ["01_B02_f2", "01_B02_f10"], ["02_A01_f1"]])
            #expect(whole.frames == 4)
            #expect(whole.refused.map(\.path) == [folder.appending(path: "odd.tiff").path])
            #expect(whole.folders == [folder.path])
            // Text that lies about is no frame in a folder; who names it means it.
            let list = try listing(names.reversed().map { folder.appending(path: $0).path })
            #expect(list.wells == whole.wells)
            #expect(list.folders == whole.folders)
            #expect(list.refused.count == 2)
            // Engines stage files as links.
            let staged = folder.appending(path: "staged")
            try FileManager.default.createDirectory(at: staged, withIntermediateDirectories: true)
            for (name, target) in [
                ("03_A1_f1.tiff", "01_A1_f1.tiff"), ("03_A2_f1.tiff", "gone"), ("loop", "."),
            ] {
                try FileManager.default.createSymbolicLink(
                    atPath: staged.appending(path: name).path,
                    withDestinationPath: folder.appending(path: target).path
                )
            }
            let links = try listing([staged.path])
            #expect(links.wells.flatMap { $0.map(\.frame.description) } == ["03_A01_f1"])
            #expect(links.wells.first?.first?.source.identity?.size == 1)
            try FileManager.default.removeItem(at: staged)
            // The parts have each frame once, and what is no frame only once.
            let parts = try (1...3).map { try listing([folder.path], #require(Shard("\($0)/3"))) }
            #expect(Set(parts.flatMap(\.wells)) == Set(whole.wells))
            #expect(parts.map(\.frames) == [4, 4, 4])
            #expect(parts.flatMap(\.refused).count == 1)
        }
    }
}
