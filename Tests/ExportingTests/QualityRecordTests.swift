import Exporting
import Foundation
import Plate
import Reporting
import TestSupport
import Testing

/// Records of runs; `make test-exports` holds them against the schemas.
struct QualityRecordTests {
    private func record(_ plate: ExportedPlate) throws -> QualityRecord {
        try #require(
            try QualityRecord(
                run: "01",
                ledger: plate.ledger,
                tree: plate.tree,
                version: "1",
                created: Timestamp(nanoseconds: 0)
            )
        )
    }

    private func metrics(_ quality: [String: Any]) -> [String: Any] {
        let list = quality["qualityMetrics"] as? [[String: Any]] ?? []
        return Dictionary(uniqueKeysWithValues: list.map { ($0["name"] as? String ?? "", $0["value"] ?? "") })
    }

    @Test func figuresAndDigestsAreThoseOfTheRun() async throws {
        try await withTemporaryFolder { folder in
            let plate = try ExportedPlate(in: folder)
            for frame in 0..<6 { try plate.judge("A1", frame) }
            for frame in 0..<2 { try plate.judge("B2", frame, faulty: frame == 1) }
            try FileManager.default.removeItem(at: plate.watched.appending(path: "01_B2_f0.tiff"))
            let record = try record(plate)
            #expect(record.filesGone == 1)
            let document = try JSONSerialization.jsonObject(with: record.json()) as? [String: Any]
            let root = try #require(document?["mzQC"] as? [String: Any])
            #expect(root["version"] as? String == "1.0.0")
            let wells = try #require(root["runQualities"] as? [[String: Any]])
            #expect(metrics(wells[0])["usable frames"] as? Int == 6)
            #expect(metrics(wells[1])["frames flagged"] as? Int == 1)
            #expect(metrics(wells[1])["most frequent cause"] as? String == "air-bubble")
            let turns = metrics(wells[1])["turns"] as? [String: [Any]]
            #expect(turns?["event"] as? [String] == ["ONSET"] && turns?["frame"] as? [Int] == [1])
            let run = try #require((root["setQualities"] as? [[String: Any]])?.first)
            #expect(metrics(run)["frames judged"] as? Int == 8)
            #expect(metrics(run)["share of frames flagged"] as? Double == 0.125)
            let files = (wells[0]["metadata"] as? [String: Any])?["inputFiles"] as? [[String: Any]]
            let property = (files?.first?["fileProperties"] as? [[String: Any]])?.first
            let path = plate.watched.appending(path: "01_A1_f0.tiff").path
            let digest = String(decoding: try output(of: "sha256sum < '\(path)'"), as: UTF8.self).prefix(64)
            #expect(property?["value"] as? String == String(digest))
        }
    }

    @Test func theRecordHasTheReviewersAgreement() async throws {
        try await withTemporaryFolder { folder in
            let plate = try ExportedPlate(in: folder)
            for frame in 0..<3 { try plate.judge("B2", frame, faulty: true) }
            for (frame, kind, name) in [
                (0, Decision.Kind.fault, "Ada"), (0, .fault, "Bob"), (1, .falseAlarm, "Ada"),
                (1, .falseAlarm, "Bob"), (2, .fault, "Ada"), (2, .falseAlarm, "Bob"),
            ] {
                try DecisionLog(plate.tree).add(
                    Decision(
                        run: "01",
                        well: try #require(Well("B2")),
                        frame: frame,
                        kind: kind,
                        note: "",
                        reviewer: name,
                        decided: Timestamp(nanoseconds: 0)
                    )
                )
            }
            let document = try JSONSerialization.jsonObject(with: record(plate).json()) as? [String: Any]
            let root = try #require(document?["mzQC"] as? [String: Any])
            let run = metrics(try #require((root["setQualities"] as? [[String: Any]])?.first))
            #expect(run["faults confirmed"] as? Int == 1 && run["false alarms"] as? Int == 1)
            #expect(run["disputed frames"] as? Int == 1)
            let agreement = try #require(run["agreement of reviewers"] as? [String: [Any]])
            #expect(agreement["first"] as? [String] == ["Ada"] && agreement["second"] as? [String] == ["Bob"])
            // Two of three alike; by chance 2/3 * 1/3 + 1/3 * 2/3.
            let kappa = try #require(agreement["kappa"]?.first as? Double)
            #expect(abs(kappa - (2.0 / 3 - 4.0 / 9) / (5.0 / 9)) < 1e-12)
        }
    }

    @Test func everyTermIsInTheVocabulary() throws {
        let page = try String(
            contentsOf: packageRoot.appending(path: "docs/vocabulary.md"),
            encoding: .utf8
        )
        for term in QualityVocabulary.terms {
            let row = "| \(term.accession) | \(term.name) | \(term.definition) | \(term.unit?.name ?? "") |"
            #expect(page.contains(row), "docs/vocabulary.md lacks: \(row)")
        }
        #expect(Set(QualityVocabulary.terms.map(\.accession)).count == QualityVocabulary.terms.count)
    }
}
