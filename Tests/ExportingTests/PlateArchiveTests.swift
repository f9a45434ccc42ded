import Exporting
import Foundation
import Plate
import TestSupport
import Testing

struct PlateArchiveTests {
    private func export(_ plate: ExportedPlate, to folder: String) throws -> PlateArchive.Outcome {
        try PlateArchive(
            run: "01",
            ledger: plate.ledger,
            tree: plate.tree,
            flaggedOnly: false,
            version: "1",
            folder: folder
        ).write()
    }

    /// Two wells; the second has a faulty frame, and lacks the first frame of the first well.
    private func withExport(_ body: (ExportedPlate, String) throws -> Void) async throws {
        try await withTemporaryFolder { folder in
            let plate = try ExportedPlate(in: folder)
            try plate.judge("A1", 3, written: 10)
            try plate.judge("A1", 4, written: 20)
            try plate.judge("B2", 4, faulty: true, written: 30)
            let path = folder.appending(path: "plate.zarr").path
            let outcome = try export(plate, to: path)
            #expect((outcome.wells, outcome.frames, outcome.masks, outcome.leftOut) == (2, 3, 1, 0))
            try body(plate, path)
        }
    }

    /// A plane of an array with one shard; `nil` where it has no chunk.
    private func plane(_ number: Int, of array: String, planes: Int) throws -> [UInt8]? {
        try chunk(number, of: planes, in: array).map { try output(of: "gzip -dc", $0) }
    }

    @Test func everyFrameIsThereAtEverySize() async throws {
        try await withExport { _, folder in
            #expect(try json("\(folder)/A/1/0/0/zarr.json")["shape"] as? [Int] == [2, 301, 520])
            #expect(try json("\(folder)/A/1/0/2/zarr.json")["shape"] as? [Int] == [2, 76, 130])
            #expect(!FileManager.default.fileExists(atPath: "\(folder)/A/1/0/3"))
            let whole = try #require(try plane(1, of: "\(folder)/A/1/0/0", planes: 2))
            let expected = (0..<301 * 520).flatMap { pixel -> [UInt8] in
                let value = 1000 + (pixel + 4) % 7
                return [UInt8(value & 255), UInt8(value >> 8)]
            }
            #expect(whole == expected)
            let half = try #require(try plane(1, of: "\(folder)/A/1/0/1", planes: 2))
            // The means of 1004, 1005, 1002 and 1003: the second row begins 520 pixels later, which is 2 in steps of 7.
            #expect(half.count == 2 * 151 * 260)
            #expect(Int(half[0]) + Int(half[1]) << 8 == 1004)
            #expect(try plane(0, of: "\(folder)/B/2/0/0", planes: 2) == nil, "B2 has no first frame")
        }
    }

    @Test func aFaultIsALabelWithCauseSeverityAndColour() async throws {
        try await withExport { _, folder in
            let labels = "\(folder)/B/2/0/labels/faults"
            let pixels = try #require(try plane(1, of: "\(labels)/0", planes: 2))
            let faulty = stride(from: 0, to: pixels.count, by: 4).filter { pixels[$0] != 0 }
            #expect(faulty.count == 800 && pixels[faulty[0]] == 2, "the number of the plane + 1")
            let attributes = try json("\(labels)/zarr.json")["attributes"] as? [String: Any]
            let label = (attributes?["ome"] as? [String: Any])?["image-label"] as? [String: Any]
            let properties = (label?["properties"] as? [[String: Any]])?.first
            #expect(
                properties?["cause"] as? String == "air-bubble" && properties?["severity"] as? Double == 4.5
            )
            #expect(properties?["label-value"] as? Int == 2 && properties?["frame"] as? Int == 4)
            let colour = (label?["colors"] as? [[String: Any]])?.first
            #expect(colour?["rgba"] as? [Int] == [0, 114, 178, 255])
        }
    }

    @Test func thePlateSaysWhenItWasAcquiredAndHowItIsShown() async throws {
        try await withExport { _, folder in
            let attributes = try json("\(folder)/zarr.json")["attributes"] as? [String: Any]
            let plate = (attributes?["ome"] as? [String: Any])?["plate"] as? [String: Any]
            let acquisition = (plate?["acquisitions"] as? [[String: Any]])?.first
            #expect(acquisition?["starttime"] as? Int == 1_795_000_010_000)
            #expect(acquisition?["endtime"] as? Int == 1_795_000_030_000)
            let well = try json("\(folder)/B/2/zarr.json")["attributes"] as? [String: Any]
            let views = (well?["autoqc"] as? [String: Any])?["views"] as? [[String: Any]]
            #expect(views?.first?["verdict"] as? String == "not" && views?.first?["flagged"] as? Int == 1)
            let image = try json("\(folder)/A/1/0/zarr.json")["attributes"] as? [String: Any]
            let ome = image?["ome"] as? [String: Any]
            let channel = ((ome?["omero"] as? [String: Any])?["channels"] as? [[String: Any]])?.first
            let window = channel?["window"] as? [String: Double]
            #expect(window == ["min": 0, "max": 65_535, "start": 1000, "end": 1006])
        }
    }

    @Test func aFinishedExportIsNotWrittenOver() async throws {
        try await withExport { plate, folder in
            let error = #expect(throws: (any Error).self) { try export(plate, to: folder) }
            let sentence = try #require(error.map { "\($0)" })
            #expect(sentence.contains("is not empty; name a new folder"))
        }
    }
}
