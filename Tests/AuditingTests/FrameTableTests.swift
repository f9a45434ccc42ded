import Auditing
import Foundation
import Ledger
import Plate
import Reporting
import Tables
import Testing

struct FrameTableTests {
    private static func row(_ outcome: FrameRecord.Outcome, path: String = "01_B1_f2.tif") throws
        -> FrameTable.Row
    {
        let record = FrameRecord(
            source: FrameSource(root: "/in", path: path),
            frame: FrameID(run: "01", well: try #require(Well("B1")), index: 2),
            outcome: outcome,
            model: "3f9ac2d41b7e",
            completed: nil,
            judged: Timestamp(nanoseconds: 1_795_000_000_123_000_000)
        )
        return FrameTable.Row(record, in: OutputTree(root: "/out"))
    }

    @Test func everyRowHasTheHeadersFields() throws {
        let columns = FrameTable.table.header.split(separator: ",").map(String.init)
        let row = FrameTable.table.csv(try Self.row(.judged(AuditedPlate.judgement(false, severity: 0.1))))
        let fields = row.split(separator: ",", omittingEmptySubsequences: false)
        #expect(fields.count == columns.count)
        let values = Dictionary(zip(columns, fields.map(String.init))) { $1 }
        #expect(values["file"] == "/in/01_B1_f2.tif")
        #expect(values["well"] == "B01")
        #expect(values["severity"] == "0.1")
        #expect(values["verdict"] == "normal")
        #expect(values["mask"] == "")
        #expect(values["judged"] == "2026-11-18T11:06:40.123Z")
    }

    @Test func wordsFromOutsideStayInTheirField() throws {
        let reason = "cut,\n\"off\"\u{1}"
        let record = try Self.row(.quarantined(reason: reason), path: "a,\"b\".tif")
        let csv = FrameTable.table.csv(record)
        let expected = "\"/in/a,\"\"b\"\".tif\",0,\"01\",B01,,,,2,quarantined,\"cut,\n\"\"off\"\"\u{1}\","
        #expect(csv.hasPrefix(expected))
        let json = try FrameTable.table.json(record)
        #expect(!json.contains("\n"))
        let object = try JSONSerialization.jsonObject(with: Data(json.utf8)) as? [String: Any]
        #expect(object?["reason"] as? String == reason)
        #expect(object?["frame"] as? Int == 2)
        #expect(object?["score"] == nil)
    }

    @Test func aFlaggedRowSaysWhy() throws {
        let terms = [("level", -0.25), ("tiles_top", 4.125)].map {
            SeverityContribution(term: $0.0, value: $0.1)
        }
        let cause = ProbableCause(.airBubble, confidence: 0.75)
        let flagged = try Self.row(.judged(AuditedPlate.judgement(true, cause: cause, terms: terms)))
        let columns = FrameTable.table.header.split(separator: ",").map(String.init)
        let fields = FrameTable.table.csv(flagged).split(separator: ",", omittingEmptySubsequences: false)
        let values = Dictionary(uniqueKeysWithValues: zip(columns, fields.map(String.init)))
        #expect(values["cause"] == "air-bubble" && values["confidence"] == "0.75")
        #expect(values["term"] == "tiles_top" && values["terms"] == "level=-0.25;tiles_top=4.125")
        let json = try FrameTable.table.json(flagged)
        let object = try JSONSerialization.jsonObject(with: Data(json.utf8)) as? [String: Any]
        #expect(object?["terms"] as? [String: Double] == ["level": -0.25, "tiles_top": 4.125])
        #expect(object?["term"] as? String == "tiles_top")
        let normal = try FrameTable.table.json(
            Self.row(.judged(AuditedPlate.judgement(false, terms: terms)))
        )
        #expect(
            normal.contains("\"terms\":{") && !normal.contains("\"term\":") && !normal.contains("\"cause\":")
        )
        #expect(
            try !FrameTable.table.json(Self.row(.judged(AuditedPlate.judgement(true)))).contains(
                "\"terms\""
            )
        )
    }

    @Test func figuresThatAreNoneAreLeftOutOfJSON() throws {
        let json = try FrameTable.table.json(
            Self.row(.judged(AuditedPlate.judgement(true, severity: .infinity)))
        )
        let object = try JSONSerialization.jsonObject(with: Data(json.utf8)) as? [String: Any]
        #expect(object?["severity"] == nil)
        #expect(object?["well_faulty"] as? Bool == true)
    }
}
