import Foundation
import Frames
import Plate
import Simulation
import TestSupport
import Testing
import Training

struct LabelledSetTests {
    private static func set(_ composition: SetComposition) throws -> LabelledSet {
        let microscope = Microscope(Microscope.Settings(seed: 5, height: 64, width: 96))
        return try LabelledSet(composition, seed: 5) { item in
            microscope.labelledFrame(
                of: item.well,
                plate: item.plate,
                at: item.index,
                striking: item.striking,
                fault: item.fault
            )
        }
    }

    @Test func theListsLeadToFramesAndMasks() async throws {
        try await withTemporaryFolder { folder in
            let out = folder.appending(path: "set").path
            let composition = SetComposition(training: 4, normal: 6, faulty: 6, folds: 3)
            try Self.set(composition).write(to: out)
            let training = try FramePaths.normal(["\(out)/splits/normal_train.csv"])
            let validation = try FramePaths.normal(["\(out)/splits/normal_val.csv"])
            #expect((training.count, validation.count) == (3, 1))
            #expect(try FrameSet(paths: training + validation).count == 4)

            var tested: [String] = []
            for fold in 0..<3 {
                let thresholds = try FramePaths.labelled(csv: "\(out)/splits/test_val_fold\(fold).csv")
                let figures = try FramePaths.labelled(csv: "\(out)/splits/test_test_fold\(fold).csv")
                #expect(Set((thresholds + figures).map(\.image)).count == 12)
                #expect(thresholds.filter(\.isFaulty).count == 2)
                tested += thresholds.map(\.image)
                for row in figures {
                    let frame = try TIFFReader(path: row.image).frame(page: 0)
                    #expect((frame.height, frame.width) == (64, 96))
                    #expect((row.mask != nil) == row.isFaulty)
                    guard let mask = row.mask else { continue }
                    let values = try TIFFReader(path: mask).frame(page: 0).pixels
                    #expect(values.contains(255) && values.allSatisfy { $0 == 0 || $0 == 255 })
                }
            }
            #expect(Set(tested).count == 12)
        }
    }

    /// The published system misreads frames with a pixel size; f-AnoGAN's training asks for a list of each fold.
    @Test func aPublishedSetHasWhatThePublishedSystemReads() async throws {
        try await withTemporaryFolder { folder in
            let out = folder.appending(path: "set").path
            let composition = SetComposition(training: 4, normal: 2, faulty: 2, folds: 2)
            try Self.set(composition).write(to: out, published: true)
            let lists = try FileManager.default.contentsOfDirectory(atPath: "\(out)/splits").sorted()
            let folds = (0..<2).flatMap { fold in
                ["normal_train", "normal_val", "test_test", "test_val"].map { "\($0)_fold\(fold).csv" }
            }
            #expect(lists == (folds + ["normal_train.csv", "normal_val.csv"]).sorted())
            for list in lists {
                let text = try String(contentsOfFile: "\(out)/splits/\(list)", encoding: .utf8)
                #expect(text.hasPrefix("img_path,seg_path,label\n"))
                for row in try FramePaths.labelled(csv: "\(out)/splits/\(list)") {
                    #expect(try TIFFReader(path: row.image).pixelSize == nil)
                }
            }
        }
    }

    @Test func theSameSeedGivesTheSameFiles() async throws {
        try await withTemporaryFolder { folder in
            let composition = SetComposition(training: 2, normal: 1, faulty: 2, folds: 2)
            let sets = try ["a", "b"].map { name in
                let out = folder.appending(path: name)
                try Self.set(composition).write(to: out.path)
                let names =
                    FileManager.default.enumerator(atPath: out.path)?.compactMap { $0 as? String } ?? []
                return try names.filter { $0.contains(".") }.sorted().map {
                    ($0, try Data(contentsOf: out.appending(path: $0)))
                }
            }
            #expect(sets[0].map(\.0) == sets[1].map(\.0))
            #expect(sets[0].map(\.1) == sets[1].map(\.1))
            #expect(sets[0].count > 7)
        }
    }

    @Test func foldersInUseAndSetsThatCannotBeAreRefused() async throws {
        try await withTemporaryFolder { folder in
            try Data().write(to: folder.appending(path: "notes.txt"))
            let set = try Self.set(SetComposition(training: 2, normal: 0, faulty: 0))
            let error = #expect(throws: DataError.self) { try set.write(to: folder.path) }
            #expect(error?.description.contains("1 entries") == true)
            #expect(throws: DataError.self) {
                try set.write(to: folder.appending(path: "notes.txt/set").path)
            }
        }
        for (composition, word) in [
            (SetComposition(training: 0, normal: 0, faulty: 0), "no frames"),
            (SetComposition(training: -1), "0 to 100000"), (SetComposition(training: 1), "single"),
            (SetComposition(folds: 1), "folds"),
        ] {
            let error = #expect(throws: DataError.self) { try Self.set(composition) }
            #expect(error?.description.contains(word) == true)
        }
    }
}
