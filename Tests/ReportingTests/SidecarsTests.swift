import Files
import Foundation
import Frames
import Plate
import Reporting
import TestSupport
import Testing

struct SidecarsTests {
    private struct DiskFull: Error {}

    private static let mask = Sample.mask("....\n.##.\n.#..\n....")

    @Test func theSameMaskLeavesTheSameFilesOnce() async throws {
        try await withTemporaryFolder { folder in
            let tree = OutputTree(root: folder.path)
            let sidecars = Self.sidecars(tree)
            for _ in 1...2 {
                try sidecars.write(
                    Self.mask,
                    pixelSize: PixelSize(x: 0.5, y: 0.5),
                    run: "01",
                    name: "01_B1_f100",
                    regionsOf: RegionVerdict(.airBubble, confidence: 0.9, severity: 9.5, score: 0.25)
                )
                let names = try FileManager.default.contentsOfDirectory(atPath: tree.masks(run: "01"))
                    .sorted()
                #expect(names == ["01_B1_f100.mask.geojson", "01_B1_f100.mask.tiff"])
            }
            let text = try Data(contentsOf: folder.appending(path: "01/masks/01_B1_f100.mask.geojson"))
            let json = try #require(JSONSerialization.jsonObject(with: text) as? [String: Any])
            let feature = try #require((json["features"] as? [[String: Any]])?.first)
            let properties = try #require(feature["properties"] as? [String: Any])
            #expect((properties["classification"] as? [String: Any])?["name"] as? String == "air-bubble")
            #expect(UUID(uuidString: try #require(feature["id"] as? String)) != nil)
            #expect(
                properties["name"] as? String == "01_B1_f100 1" && properties["isLocked"] as? Bool == true
            )
            let measurements = try #require(properties["measurements"] as? [String: Double])
            #expect(measurements["severity"] == 9.5 && measurements["confidence"] == 0.9)
            #expect(measurements["area px"] == 3)
            #expect(abs((measurements["area um^2"] ?? 0) - 0.75) < 1e-9)
            let geometry = try #require(feature["geometry"] as? [String: Any])
            let rings = try #require(geometry["coordinates"] as? [[[Int]]])
            #expect(rings == [[[3, 1], [3, 2], [2, 2], [2, 3], [1, 3], [1, 1], [3, 1]]])

            try sidecars.removeMask(run: "01", name: "01_B1_f100")
            #expect(try FileManager.default.contentsOfDirectory(atPath: tree.masks(run: "01")).isEmpty)
        }
    }

    @Test func aMaskIsATIFFOfZeroesAnd255WithItsPixelSize() async throws {
        try await withTemporaryFolder { folder in
            let tree = OutputTree(root: folder.path)
            let size = PixelSize(x: 0.65, y: 0.65)
            try Sidecars(tree: tree, writeMask: Sidecars.writeTIFF).write(
                Self.mask,
                pixelSize: size,
                run: "01",
                name: "a",
                regionsOf: nil
            )
            let reader = try TIFFReader(path: "\(tree.masks(run: "01"))/a.mask.tiff")
            #expect(reader.pixelSize == size)
            #expect(try reader.frame(page: 0).pixels == Self.mask.values.map { Float($0) * 255 })
        }
    }

    @Test func aFailedWriteLeavesTheOldMaskAndNoRest() async throws {
        try await withTemporaryFolder { folder in
            let tree = OutputTree(root: folder.path)
            try Self.sidecars(tree).write(
                Self.mask,
                pixelSize: nil,
                run: "01",
                name: "a",
                regionsOf: RegionVerdict(.unknown, severity: 9, score: 0.1)
            )
            let failing = Sidecars(tree: tree) { _, _, path in
                try Data("half".utf8).write(to: URL(filePath: path))
                throw DiskFull()
            }
            let error = #expect(throws: OutputError.self) {
                try failing.write(
                    Self.mask,
                    pixelSize: nil,
                    run: "01",
                    name: "a",
                    regionsOf: RegionVerdict(.unknown, severity: 9, score: 0.1)
                )
            }
            #expect(error?.description.contains("DiskFull") == true)
            let names = try FileManager.default.contentsOfDirectory(atPath: tree.masks(run: "01")).sorted()
            #expect(names == ["a.mask.geojson", "a.mask.tiff"])
            #expect(
                try Data(contentsOf: folder.appending(path: "01/masks/a.mask.tiff")) == Data(Self.mask.values)
            )
        }
    }

    @Test func aStartRemovesWhatACrashLeft() async throws {
        try await withTemporaryFolder { folder in
            let tree = OutputTree(root: folder.appending(path: "new/out").path)
            try tree.prepare()
            try Self.sidecars(tree).write(
                Self.mask,
                pixelSize: nil,
                run: "01",
                name: "a",
                regionsOf: RegionVerdict(.unknown, severity: 9, score: 0.1)
            )
            try Data().write(to: URL(filePath: "\(tree.masks(run: "01"))/b.mask.tiff.tmp"))
            // A check beside a running daemon leaves its unfinished files alone.
            try tree.probe()
            #expect(try FileManager.default.contentsOfDirectory(atPath: tree.masks(run: "01")).count == 3)
            try tree.prepare()
            let names = try FileManager.default.contentsOfDirectory(atPath: tree.masks(run: "01")).sorted()
            #expect(names == ["a.mask.geojson", "a.mask.tiff"])
            // Probes of a process that cannot be, and of this one.
            let probes = [".probe-99999999", ".probe-99999999.tmp", ".probe-\(getppid()).tmp"]
            for probe in probes { try Data().write(to: URL(filePath: "\(tree.root)/\(probe)")) }
            try tree.prepare()
            let left = try FileManager.default.contentsOfDirectory(atPath: tree.root)
            #expect(left.filter { $0.hasPrefix(".probe") } == [probes[2]])
        }
    }

    @Test(arguments: [
        ("01_B1_f100.tif", 0, "01_B1_f100"), ("deep/er/01_B1_f100.ome.tiff", 0, "01_B1_f100.ome"),
        ("movie.tif", 12, "movie_p0012"), ("movie.tif", 12_345, "movie_p12345"), (".tif", 0, "%2Etif"),
        ("..", 0, "%2E"), ("a\nb.tif", 0, "a%0Ab"), ("a b%.tif", 0, "a%20b%25"), ("", 0, "%"),
    ])
    func namesFollowFromTheFile(file: String, page: Int, name: String) {
        #expect(Sidecars.name(file: file, page: page) == name)
        #expect(Sidecars.name(ofMask: Sidecars.maskPath(name: name)) == name)
    }

    @Test(arguments: [
        "ledger.sqlite", "ledger.sqlite-wal", "LEDGER.SQLITE", "canary.log", "Canary.log", "decisions.jsonl",
        "advice.jsonl", ".lock", ".probe-1", "..",
        "learned", "masks", "quarantine.log", "alarms",
    ])
    func noRunHasTheNameOfAFileOfTheDaemon(run: String) {
        let tree = OutputTree(root: "/out")
        let folder = tree.folder(run: run)
        let name = folder.dropFirst("/out/".count)
        #expect(!name.contains("/") && !name.hasPrefix("."))
        for own in [tree.ledger, tree.ledger + "-wal", tree.canaryLog, tree.lock] {
            #expect(folder.lowercased() != own.lowercased())
        }
        // Different runs keep different folders.
        for other in ["ledger.sqlite", "%6Cedger.sqlite", "canary.log", "masks"] where other != run {
            #expect(tree.folder(run: other) != folder)
        }
    }

    @Test func noNameLeavesItsFolderOrGrowsTooLong() {
        let tree = OutputTree(root: "/out")
        #expect(tree.masks(run: "../../etc") == "/out/%2E.%2F..%2Fetc/masks")
        #expect(tree.masks(run: "..") == "/out/%2E./masks")
        let long = String(repeating: "ä", count: 5000)
        #expect(SafeName.of(long).utf8.count == SafeName.longest)
        #expect(SafeName.of(long) != SafeName.of(long + "ä"))
        #expect(Sidecars.name(file: "a.tif", page: 3, distinction: "1f") == "a_1f_p0003")
    }

    private static func sidecars(_ tree: OutputTree) -> Sidecars {
        Sidecars(tree: tree) { mask, _, path in
            try Data(mask.values).write(to: URL(filePath: path))
        }
    }
}
