import Exporting
import Foundation
import Frames
import Plate
import TestSupport
import Testing

/// Regions for ImageJ; `make test-exports` opens them in ImageJ itself.
struct RegionArchiveTests {
    private func number(_ bytes: [UInt8], _ offset: Int, _ count: Int) -> Int {
        bytes[offset..<offset + count].reduce(0) { $0 << 8 | Int($1) }
    }

    @Test func aRegionHasItsOutlineNameAndColour() async throws {
        try await withTemporaryFolder { folder in
            let plate = try ExportedPlate(in: folder)
            try plate.judge("B2", 4, faulty: true)
            let target = folder.appending(path: "rois").path
            let files = try MaskFiles(
                .rois,
                run: nil,
                ledger: plate.ledger,
                tree: plate.tree,
                version: "1",
                folder: target
            )
            let outcome = try files.write()
            #expect((outcome.written, outcome.leftOut) == (1, 0))
            let path = "\(target)/01/01_B2_f4.rois.zip"
            let archive = Array(try Data(contentsOf: URL(filePath: path)))
            let name = "01_B2_f4 1.roi"
            #expect(archive.starts(with: [0x50, 0x4B, 3, 4]))
            #expect(Array(archive[30..<30 + name.utf8.count]) == Array(name.utf8))
            let region = Array(archive[(30 + name.utf8.count)...])
            #expect(region.starts(with: Array("Iout".utf8)) && region[6] == 0, "a polygon")
            // Top, left, bottom and right, then the corners.
            #expect([8, 10, 12, 14].map { number(region, $0, 2) } == [50, 100, 70, 140])
            #expect(number(region, 16, 2) == 4 && number(region, 40, 4) == 0xFF00_72B2)
            let second = number(region, 60, 4)
            let (start, count) = (number(region, second + 16, 4), number(region, second + 20, 4))
            let units = (0..<count).map { UInt16(number(region, start + 2 * $0, 2)) }
            #expect(String(decoding: units, as: UTF16.self) == "01_B2_f4 1")
        }
    }

    @Test func theChecksumIsThatOfZipArchives() {
        #expect(GzipData.checksum(Array("123456789".utf8)) == 0xCBF4_3926)
    }
}
