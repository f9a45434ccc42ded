import Detection
import TestSupport
import Testing

struct PatchPhasesTests {
    @Test(arguments: [(64, 2), (64, 4), (16, 2), (7, 4), (200, 2)])
    func everyPixelIsNoisedInExactlyOnePhase(patch: Int, count: Int) throws {
        let phases = try #require(PatchPhases(patch: patch, count: count))
        for origin in [(0, 0), (3, 100), (70, 5)] {
            var hits = [Int](repeating: 0, count: 50 * 83)
            for phase in 0..<count {
                for run in phases.noisedRuns(height: 50, width: 83, phase: phase, origin: origin) {
                    for index in run { hits[index] += 1 }
                }
            }
            #expect(hits.allSatisfy { $0 == 1 }, "origin \(origin)")
        }
    }

    @Test func noisedPatchesKeepCleanNeighbours() throws {
        let phases = try #require(PatchPhases(patch: 4, count: 2))
        for row in 0..<12 {
            for column in 0..<12 {
                #expect(
                    phases.phase(row: row, column: column) != phases.phase(row: row + 4, column: column)
                )
                #expect(
                    phases.phase(row: row, column: column) != phases.phase(row: row, column: column + 4)
                )
            }
        }
    }

    @Test func impossibleDivisionsAreRefused() {
        #expect(PatchPhases(patch: 0, count: 2) == nil)
        #expect(PatchPhases(patch: 64, count: 3) == nil)
    }
}
