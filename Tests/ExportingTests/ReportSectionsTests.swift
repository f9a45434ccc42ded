import Exporting
import Foundation
import Rules
import TestSupport
import Testing

/// Sections of MultiQC's report; `make test-exports` lets MultiQC draw them.
struct ReportSectionsTests {
    private func sections(_ plate: ExportedPlate, _ folder: String) throws -> ReportSections {
        var rule = UsableFrames.Rule()
        rule.shortest = 2
        return try ReportSections(
            run: nil,
            ledger: plate.ledger,
            tree: plate.tree,
            rule: rule,
            version: "1",
            folder: folder
        )
    }

    @Test func aRunIsARowABarAndAPlate() async throws {
        try await withTemporaryFolder { folder in
            let plate = try ExportedPlate(in: folder)
            for frame in 0..<6 { try plate.judge("A1", frame) }
            for frame in 0..<2 { try plate.judge("B12", frame, faulty: frame == 1) }
            let target = folder.appending(path: "sections").path
            #expect(try sections(plate, target).write() == 1)
            let general = try json("\(target)/01.general_mqc.json")
            let row = try #require((general["data"] as? [String: [String: Double]])?["01"])
            #expect(row == ["frames": 8, "flagged": 12.5, "usable": 75, "unreadable": 0, "missing": 0])
            let causes = try json("\(target)/01.causes_mqc.json")
            let bar = try #require((causes["data"] as? [String: [String: Int]])?["01"])
            #expect(bar["air-bubble"] == 1 && bar.values.reduce(0, +) == 1)
            #expect(Set(bar.keys) == Set((causes["categories"] as? [String: Any] ?? [:]).keys))
            let wells = try json("\(target)/01.wells_mqc.json")
            let shares = try #require(wells["data"] as? [[Any]])
            #expect(shares.count == 8 && shares.allSatisfy { $0.count == 12 })
            #expect(shares[0][0] as? Double == 100 && shares[1][11] as? Double == 0)
            #expect(shares[7][11] is NSNull, "a well without frames has no share")
            #expect(wells["ycats"] as? [String] == ["A", "B", "C", "D", "E", "F", "G", "H"])
        }
    }
}
