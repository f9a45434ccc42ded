import Foundation
import Ledger
import Plate
import TestSupport
import Testing

struct DaemonSessionTests {
    private static func session(_ second: Int64, ended: Int64? = nil, model: String = "3f9ac2d41b7e")
        -> DaemonSession
    {
        DaemonSession(
            started: Timestamp(nanoseconds: second),
            ended: ended.map { Timestamp(nanoseconds: $0) },
            model: model,
            modelPath: "/models/\(model).safetensors",
            precision: "int8",
            pattern: "{run}_{well}_f{frame}.tif<f>",
            folders: ["/data/a", "/data/b"]
        )
    }

    @Test func sessionsAreKeptInOrderWithTheirEnds() async throws {
        try await withTemporaryFolder { folder in
            let ledger = try FrameLedger(path: folder.appending(path: "ledger.sqlite").path)
            #expect(try ledger.sessions() == [])
            try ledger.endSession(at: Timestamp(nanoseconds: 1))
            try ledger.begin(Self.session(10))
            // A crash: the next one begins and the first has no end.
            try ledger.begin(Self.session(20, model: "000000000000"))
            try ledger.endSession(at: Timestamp(nanoseconds: 30))
            try ledger.endSession(at: Timestamp(nanoseconds: 40))
            let expected = [Self.session(10), Self.session(20, ended: 30, model: "000000000000")]
            #expect(try ledger.sessions() == expected)
        }
    }

    @Test func aModelThatARunTaughtHasItsOwnFile() async throws {
        try await withLedger { ledger in
            let path = "/out/01/learned.safetensors"
            try ledger.introduce(model: "3f9ac2d41b7e", path: path, at: Timestamp(nanoseconds: 5))
            try ledger.introduce(model: "3f9ac2d41b7e", path: "/other", at: Timestamp(nanoseconds: 6))
            try ledger.begin(Self.session(10))
            #expect(try ledger.sessions().map(\.modelPath) == [path])
        }
    }

    @Test func severitiesOfTwoModelsAreNotMixed() async throws {
        try await withLedger { ledger in
            try ledger.record(try (0..<3).map { try Sample.judged("01_B1_f\($0).tif", frame: $0) })
            func first(_ model: String) throws -> [Double] {
                try ledger.firstSeverities(of: try Sample.well(), run: "01", model: model, count: 2)
            }
            #expect(try first("3f9ac2d41b7e") == [4.5, 4.5])
            #expect(try first("000000000000") == [])
        }
    }
}
