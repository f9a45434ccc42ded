import Testing

@testable import Verdict

/// Which frames are judged together by what was fitted to all others.
struct FoldsTests {
    @Test func aFoldIsOneStretchOfWellsAndTimes() {
        let keys = [7, 1, 9, 3, 5, 0, 2, 8, 4, 6]
        #expect(Folds.stretches(keys) == keys.map { $0 / 2 })
        #expect(Folds.stretches([3, 3, 3]) == [0, 0, 0], "frames of one key stay together")
        #expect(Folds.stretches([5]) == [0])
    }

    /// Twenty frames of one microscope among forty of another: neither is missing from what judges it.
    @Test func eachOfAFewFoldersIsInEveryFold() {
        let folders = [String](repeating: "a", count: 20) + [String](repeating: "b", count: 40)
        let folds = Folds.stretches(Array(0..<60), folders: folders)
        #expect(Array(folds[..<20]) == (0..<20).map { $0 / 4 })
        #expect(Array(folds[20...]) == (0..<40).map { $0 / 8 })
    }

    /// A folder for each well: a well is judged by other wells.
    @Test func manyFoldersAreWells() {
        let folders = (0..<60).map { "well \($0 / 6)" }
        let folds = Folds.stretches(Array(0..<60), folders: folders)
        #expect(folds == (0..<60).map { $0 / 12 })
    }
}
