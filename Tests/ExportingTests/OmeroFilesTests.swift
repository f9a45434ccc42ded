import Exporting
import Foundation
import Frames
import Plate
import TestSupport
import Testing

/// Files for OMERO; `make test-exports` holds them against the schemas of OME and MIHCSME.
struct OmeroFilesTests {
    @Test func aFaultyFrameCarriesItsRegionsAndItsVerdict() async throws {
        try await withTemporaryFolder { folder in
            let plate = try ExportedPlate(in: folder)
            try plate.judge("A1", 3)
            try plate.judge("B2", 4, faulty: true)
            try plate.judge("B2", 5, faulty: true)
            try FileManager.default.removeItem(at: plate.watched.appending(path: "01_B2_f5.tiff"))
            let target = folder.appending(path: "omero").path
            let outcome = try OmeroFiles(
                run: "01",
                ledger: plate.ledger,
                tree: plate.tree,
                version: "1",
                folder: target
            ).write()
            #expect((outcome.frames, outcome.leftOut) == (1, 1))
            let reader = try TIFFReader(path: "\(target)/frames/01_B2_f4.ome.tiff")
            let original = try TIFFReader(path: plate.watched.appending(path: "01_B2_f4.tiff").path)
            #expect(try reader.frame(page: 0) == original.frame(page: 0))
            #expect(reader.pixelSize == PixelSize(x: 0.5, y: 0.5))
            let xml = try #require(reader.imageDescription)
            #expect(xml.contains("Points=\"140,50 140,70 100,70 100,50\""), "\(xml)")
            #expect(xml.contains("<M K=\"QC cause\">air-bubble</M>"))
            #expect(FileManager.default.fileExists(atPath: "\(target)/mihcsme.xlsx"))
        }
    }
}
