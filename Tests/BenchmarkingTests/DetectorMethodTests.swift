import Foundation
import TestSupport
import Testing
import Verdict

@testable import Benchmarking

struct DetectorMethodTests {
    @Test func theDaemonsJudgementStandsBesideTheBareModel() async throws {
        let shipped = packageRoot.appending(path: "examples/models/complexeye.safetensors")
        try await withTemporaryFolder { folder in
            let tiny = try TinyBenchmark.discs(in: folder)
            let models = folder.appending(path: "models")
            try FileManager.default.createDirectory(at: models, withIntermediateDirectories: false)
            try FileManager.default.copyItem(at: shipped, to: models.appending(path: "shipped.safetensors"))
            let methods = DetectorMethod.all(in: models.path)
            #expect(methods.map(\.name) == ["shipped+normal"])
            let (results, problems) = try tiny.run(methods)
            #expect(problems.isEmpty)
            let method = try #require(results.methods.first)
            // Bright discs of four tenths more light than the noise around them.
            #expect(try #require(method.mean(.image, .auc, score: .patch)) > 0.95)
            #expect(method.mean(.image, .auc, score: .maximum) == method.mean(.image, .auc, score: .patch))
            #expect(try #require(method.mean(.pixel, .auprc)) > 0.5)
            #expect(method.summary.contains("24 normal frames"))
        }
    }
}
