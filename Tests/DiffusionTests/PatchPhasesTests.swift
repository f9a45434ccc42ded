import Diffusion
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

    @Test(arguments: [(64, 2), (7, 4), (200, 2)]) func runsAreInOrderAndOfTheirPhase(patch: Int, count: Int)
        throws
    {
        let phases = try #require(PatchPhases(patch: patch, count: count))
        for origin in [(0, 0), (3, 100), (70, 5)] {
            for phase in 0..<count {
                let runs = phases.noisedRuns(height: 50, width: 83, phase: phase, origin: origin)
                #expect(zip(runs, runs.dropFirst()).allSatisfy { $0.upperBound <= $1.lowerBound })
                #expect(runs.allSatisfy { $0.lowerBound / 83 == ($0.upperBound - 1) / 83 })
                for index in runs.joined() {
                    let (row, column) = index.quotientAndRemainder(dividingBy: 83)
                    #expect(phases.phase(row: row + origin.0, column: column + origin.1) == phase)
                }
            }
        }
    }

    @Test func noiseFallsOnItsRunsAlone() {
        let image = randomValues(200, seed: 1)
        let field = randomValues(200, seed: 2)
        let runs = [3..<4, 10..<75, 75..<75, 130..<200]
        var noisy = image
        PatchedDiffusion.noise(&noisy, runs: runs, field: field, signalScale: 0.8, noiseScale: 0.6)
        let expected = image.indices.map { index in
            runs.contains { $0.contains(index) } ? 0.8 * image[index] + 0.6 * field[index] : image[index]
        }
        #expect(noisy == expected)
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
