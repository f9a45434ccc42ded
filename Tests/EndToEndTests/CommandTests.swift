import Foundation
import Frames
import Ledger
import Plate
import TestSupport
import Testing

/// What a user gets told before the work begins, not after it.
struct CommandTests {
    private func run(_ arguments: [String], in folder: URL) async throws -> (status: Int32, said: String) {
        let program = try Program(arguments, in: folder)
        return (try await program.end(), program.said)
    }

    @Test(arguments: ["validate", "watch"])
    func allMistakesOfAConfigurationAreNamedAtOnce(command: String) async throws {
        try await withTemporaryFolder { folder in
            let file = folder.appending(path: "plate.yaml")
            let text = "model: m\noutput: out\nwatch: [in, there]\nbatch: {frames: 0}\ntreshold: 4\n"
            try Data(text.utf8).write(to: file)
            let arguments = [command, "--config", file.path, "--threads", "5000"]
            let (status, said) = try await run(arguments, in: folder)
            // What the unit does not try again.
            if command == "watch" { #expect(status == 78) } else { #expect(status != 0) }
            // Folders may come later, so that only the check before a start names them.
            let folders = [
                "\(file.path):3: watch: \(folder.path)/in is not a folder",
                "\(file.path):3: watch: \(folder.path)/there is not a folder",
            ]
            for mistake in (command == "validate" ? folders : []) + [
                "\(file.path):1: model: \(folder.path)/m is not there",
                "\(file.path):4: batch.frames: \"0\" cannot be its value",
                "\(file.path):5: treshold: there is no such key", "threads: \"5000\" cannot be its value",
            ] {
                #expect(said.contains(mistake), "\(said)")
            }
        }
    }

    /// In a session of its own without a terminal, as a job has it.
    @Test(
        .enabled(
            if: FileManager.default.fileExists(atPath: "/proc/self/autogroup"),
            "this kernel does not divide processors among sessions"
        )
    )
    func aSessionOfLowestPriorityComesLastAmongSessions() async throws {
        try await withTemporaryFolder { folder in
            let plate = try TestPlate(in: folder)
            try plate.add("01_A1_f0.tiff")
            for (start, nice) in [("chrt --idle 0", 19), ("nice -n 19", 19), ("nice -n 5", 0)] {
                let line = """
                    setsid -w bash -c '"$@"; cat /proc/self/autogroup >&2' x \(start) "$0" score \
                    --model '\(Program.model)' '\(plate.watched.path)' > scores
                    """
                let (status, said) = try await Program.shell(line, in: folder)
                #expect(status == 0 && said.hasSuffix("nice \(nice)\n"), "\(start): \(said)")
            }
        }
    }

    @Test func theDoctorRepairsADamagedLedger() async throws {
        try await withTemporaryFolder { folder in
            let out = folder.appending(path: "out")
            let watched = folder.appending(path: "in")
            for place in [out, watched] {
                try FileManager.default.createDirectory(at: place, withIntermediateDirectories: true)
            }
            let path = out.appending(path: "ledger.sqlite")
            try FrameLedger(path: path.path).close()
            let arguments = [
                "doctor", "--repair", "--model", Program.model, "--out", out.path, watched.path,
            ]
            var (status, said) = try await run(arguments, in: folder)
            #expect(status == 0, "a sound ledger stays: \(said)")
            var data = try Data(contentsOf: path)
            data.removeLast(data.count / 2)
            try data.write(to: path)
            (status, said) = try await run(["doctor"] + arguments.dropFirst(2), in: folder)
            #expect(status == 1, "\(said)")
            (status, said) = try await run(arguments, in: folder)
            #expect(status == 0, "\(said)")
            #expect(LedgerRepair.problem(of: path.path) == nil)
            let names = try FileManager.default.contentsOfDirectory(atPath: out.path)
            #expect(names.contains { $0.hasPrefix("ledger.sqlite.damaged-") })
        }
    }

    @Test func theExampleAndThePageOfKeysArePrinted() async throws {
        try await withTemporaryFolder { folder in
            for (option, file) in [
                ("--example", "examples/autoqc.yaml"), ("--keys", "docs/configuration.md"),
            ] {
                let program = try Program(["validate", option], in: folder)
                #expect(try await program.end() == 0)
                let text = try String(contentsOf: packageRoot.appending(path: file), encoding: .utf8)
                #expect(program.printed == text, "\(file)")
            }
        }
    }

    @Test func anEmptyFolderIsNothingToScore() async throws {
        try await withTemporaryFolder { folder in
            let empty = folder.appending(path: "empty")
            try FileManager.default.createDirectory(at: empty, withIntermediateDirectories: true)
            let (status, said) = try await run(["score", "--model", Program.model, empty.path], in: folder)
            #expect(status != 0)
            #expect(said.contains("no TIFF files"))
        }
    }

    @Test func twoFramesOfOneNameHaveAMaskEach() async throws {
        try await withTemporaryFolder { folder in
            let plate = try TestPlate(in: folder)
            let folders = ["a", "b"].map { folder.appending(path: $0) }
            for each in folders {
                try FileManager.default.createDirectory(at: each, withIntermediateDirectories: true)
                try plate.data(faulty: false).write(to: each.appending(path: "01_A1_f1.tiff"))
            }
            let masks = folder.appending(path: "masks").path
            let arguments = ["score", "--model", Program.model, "--masks", masks] + folders.map(\.path)
            let (status, said) = try await run(arguments, in: folder)
            #expect(status == 0, "\(said)")
            let names = try FileManager.default.contentsOfDirectory(atPath: masks)
            #expect(names.count == 2 && names.allSatisfy { $0.hasPrefix("01_A1_f1_") })
        }
    }

    @Test func aListOfFramesIsScored() async throws {
        try await withTemporaryFolder { folder in
            let plate = try TestPlate(in: folder)
            try plate.data(faulty: false).write(to: folder.appending(path: "a.tiff"))
            let list = folder.appending(path: "list.csv")
            try Data("img_path,seg_path,label\na.tiff,,0\n".utf8).write(to: list)
            let masks = folder.appending(path: "masks")
            let arguments = ["score", "--model", Program.model, list.path, "--masks", masks.path]
            #expect(try await run(arguments, in: folder).status == 0)
            #expect(FileManager.default.fileExists(atPath: masks.appending(path: "a.mask.tiff").path))
        }
    }

    @Test func aFileThatCannotBeReadIsToldAndTheOthersAreJudged() async throws {
        try await withTemporaryFolder { folder in
            let plate = try TestPlate(in: folder)
            let whole = plate.data(faulty: false)
            for name in ["01_A1_f1", "01_A1_f3"] {
                try whole.write(to: plate.watched.appending(path: "\(name).tiff"))
            }
            try whole.prefix(whole.count / 2).write(to: plate.watched.appending(path: "01_A1_f2.tiff"))
            let program = try Program(["score", "--model", Program.model, plate.watched.path], in: folder)
            #expect(try await program.end() == 65)
            let rows = program.printed.split(separator: "\n").dropFirst()
            #expect(rows.count { $0.contains(",normal,") } == 2)
            #expect(rows.count { $0.contains("01_A1_f2.tiff") && $0.contains(",unreadable,") } == 1)
            #expect(program.said.contains("01_A1_f2.tiff"))
            #expect(program.said.contains("1 of 3 files could not be read"))
        }
    }

    @Test func aRankedScoreBeginsWithWhatAReviewerHasToSee() async throws {
        try await withTemporaryFolder { folder in
            let plate = try TestPlate(in: folder)
            let frames = folder.appending(path: "frames")
            try FileManager.default.createDirectory(at: frames, withIntermediateDirectories: true)
            for (name, isFaulty) in [("a", false), ("b", true), ("c", false)] {
                try plate.data(faulty: isFaulty).write(to: frames.appending(path: "\(name).tiff"))
            }
            try Data("cut".utf8).write(to: frames.appending(path: "d.tiff"))
            let program = try Program(
                ["score", "--ranked", "--model", Program.model, frames.path],
                in: folder
            )
            #expect(try await program.end() == 65, "\(program.said)")
            let rows = program.printed.split(separator: "\n").map { $0.split(separator: ",")[0] }
            #expect(
                rows.map { URL(filePath: String($0)).lastPathComponent } == [
                    "file", "d.tiff", "b.tiff", "a.tiff", "c.tiff",
                ]
            )
        }
    }

    @Test func partsOfFramesKeepTheirScaleAndCannotBeLargerThanTheFrames() async throws {
        try await withTemporaryFolder { folder in
            let plate = try TestPlate(in: folder)
            let frame = folder.appending(path: "01_A1_f1.tiff")
            try plate.data(faulty: false).write(to: frame)
            let inject = { (columns: Int, out: String) in
                [
                    "simulate", "inject", "--train", frame.path, "--test", frame.path, "--out", out,
                    "--copies", "2", "--normal", "2", "--faulty", "5", "--folds", "2",
                    "--width", "\(columns)", "--height", "96",
                ]
            }
            let set = folder.appending(path: "set")
            let (status, said) = try await run(inject(128, set.path), in: folder)
            #expect(status == 0, "\(said)")
            for kind in ["train", "test", "masks"] {
                let names = try FileManager.default.contentsOfDirectory(atPath: set.path + "/" + kind)
                #expect(!names.isEmpty)
                for name in names {
                    let page = try TIFFReader(path: "\(set.path)/\(kind)/\(name)").frame(page: 0)
                    #expect((page.height, page.width) == (96, 128))
                }
            }
            let refused = try await run(inject(512, folder.appending(path: "other").path), in: folder)
            #expect(refused.status != 0)
            #expect(refused.said.contains("the frames are 256 x 192"), "\(refused.said)")
        }
    }

    @Test func aTextFileIsNoModel() async throws {
        try await withTemporaryFolder { folder in
            let notes = folder.appending(path: "notes.txt")
            try Data("these are notes, no weights".utf8).write(to: notes)
            let (status, said) = try await run(["score", "--model", notes.path, folder.path], in: folder)
            #expect(status != 0)
            #expect(said.contains("is not a model file"))
        }
    }

    @Test func anOutputThatCannotBeWrittenIsRefusedBeforeTraining() async throws {
        try await withTemporaryFolder { folder in
            let out = folder.appending(path: "absent/model.safetensors").path
            let (status, said) = try await run(["train", "--normal", folder.path, "--out", out], in: folder)
            #expect(status != 0)
            #expect(said.contains("absent\" (No such file or directory): make the folder"))
        }
    }

    @Test func aCheckpointIsNotTrainedOverSilently() async throws {
        try await withTemporaryFolder { folder in
            let out = folder.appending(path: "model.safetensors").path
            try Data().write(to: URL(filePath: out + ".checkpoint"))
            let (status, said) = try await run(["train", "--normal", folder.path, "--out", out], in: folder)
            #expect(status != 0)
            #expect(said.contains("--resume"))
        }
    }

    @Test func oneFrameCannotCalibrate() async throws {
        try await withTemporaryFolder { folder in
            let plate = try TestPlate(in: folder)
            let frame = folder.appending(path: "a.tiff")
            try plate.data(faulty: false).write(to: frame)
            let model = folder.appending(path: "model.safetensors")
            try FileManager.default.copyItem(at: URL(filePath: Program.model), to: model)
            let (status, said) = try await run(["calibrate", model.path, "--normal", frame.path], in: folder)
            #expect(status != 0)
            #expect(said.contains("1 normal frame cannot tell"))
            #expect(FileManager.default.contentsEqual(atPath: model.path, andPath: Program.model))
        }
    }
}
