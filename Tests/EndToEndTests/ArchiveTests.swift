import Foundation
import TestSupport
import Testing

/// `score --out` and `merge`, as a pipeline runs them.
struct ArchiveTests {
    private struct Archive {
        let plate: TestPlate
        let folder: URL

        /// Six wells of four frames of two runs: faults in three wells, one file cut off.
        init(in folder: URL) throws {
            self.folder = folder
            plate = try TestPlate(in: folder)
            for (run, wells) in [("01", ["A1", "B2", "C3"]), ("02", ["A1", "D4", "H12"])] {
                for well in wells {
                    for frame in 0..<4 {
                        let isFaulty = frame > 1 && ["A1", "D4"].contains(well)
                        try plate.add("\(run)_\(well)_f\(frame).tiff", faulty: isFaulty)
                    }
                }
            }
            let cut = plate.watched.appending(path: "01_C3_f4.tiff")
            try plate.data(faulty: false).prefix(plate.data(faulty: false).count / 2).write(to: cut)
        }

        func score(_ out: String, _ more: [String] = []) async throws -> (status: Int32, said: String) {
            let program = try Program(
                ["score", "--model", Program.model, "--out", out] + more
                    + (more.contains("--files-from") ? [] : [plate.watched.path]),
                in: folder,
                environment: ["HOME": "/nonexistent"]
            )
            return (try await program.end(), program.said)
        }

        func path(_ name: String) -> String { folder.appending(path: name).path }

        func bytes(_ name: String) throws -> Data { try Data(contentsOf: folder.appending(path: name)) }

        /// Names and bytes of masks, maps and outlines.
        func images(_ out: String) throws -> [String: Data] {
            let files = FileManager.default.enumerator(atPath: path(out))?.compactMap { $0 as? String } ?? []
            return try files.filter { $0.contains("/masks/") || $0.contains("/scores/") }
                .reduce(into: [:]) { $0[$1] = try bytes("\(out)/\($1)") }
        }

        func usable(_ out: String) async throws -> String {
            let program = try Program(["export", path(out), "--usable", "--shortest", "2"], in: folder)
            #expect(try await program.end() == 0)
            return program.printed
        }
    }

    @Test func partsComeToTheSameAsOneRun() async throws {
        try await withTemporaryFolder { folder in
            let archive = try Archive(in: folder)
            var (status, said) = try await archive.score(archive.path("whole"))
            // The rows are there, and one file could not be read.
            #expect(status == 65, "\(said)")
            let table = try String(decoding: archive.bytes("whole/frames.csv"), as: UTF8.self)
            #expect(table.split(separator: "\n").count == 26)
            #expect(table.contains("unreadable"))
            let parts = (1...5).map { "part\($0)" }
            for (index, part) in parts.enumerated() {
                (status, said) = try await archive.score(
                    archive.path(part),
                    ["--shard", "\(index + 1)/5", "--threads", "1"]
                )
                #expect([0, 65].contains(status), "\(said)")
            }
            let rows = try parts.map { try archive.bytes("\($0)/frames.csv").split(separator: 10).count - 1 }
            #expect(rows.reduce(0, +) == 25)
            for _ in 1...2 {
                let program = try Program(
                    ["merge", "--out", archive.path("joined")] + parts.reversed().map(archive.path),
                    in: folder
                )
                #expect(try await program.end() == 0, "\(program.said)")
                #expect(try archive.bytes("joined/frames.csv") == archive.bytes("whole/frames.csv"))
                #expect(try archive.images("joined") == archive.images("whole"))
            }
            #expect(try archive.images("whole").count >= 12)
            let usable = try await archive.usable("whole")
            #expect(try await archive.usable("joined") == usable)
            #expect(usable.split(separator: "\n").count == 7)
            for out in ["whole", "joined"] {
                let audit = try Program(["audit", archive.path(out)], in: folder)
                #expect(try await audit.end() == 0, "\(out): \(audit.said) \(audit.printed)")
            }
        }
    }

    @Test func aRunThatIsEndedGoesOn() async throws {
        try await withTemporaryFolder { folder in
            let archive = try Archive(in: folder)
            let out = archive.path("out")
            let program = try Program(
                [
                    "score", "--model", Program.model, "--out", out, "--threads", "1",
                    archive.plate.watched.path,
                ],
                in: folder
            )
            // Some frames are judged, and others are not.
            try await until("a mask is written", by: program) {
                ((try? archive.images("out").count) ?? 0) > 0 || !program.isRunning
            }
            program.signal(SIGTERM)
            let ended = try await program.end()
            #expect(ended == 143 || ended == 65, "\(program.said)")
            let first = try archive.bytes("out/frames.csv").split(separator: 10)
            #expect(first.allSatisfy { $0.count > 20 })
            let killed = try Program(
                [
                    "score", "--model", Program.model, "--out", out, "--threads", "1",
                    archive.plate.watched.path,
                ],
                in: folder
            )
            killed.signal(SIGKILL)
            _ = try await killed.end()
            _ = try await archive.score(out)
            _ = try await archive.score(archive.path("whole"))
            #expect(try archive.bytes("out/frames.csv") == archive.bytes("whole/frames.csv"))
            #expect(try archive.images("out") == archive.images("whole"))
            let (status, said) = try await archive.score(out)
            #expect(status == 65)
            #expect(said.contains("judged now 0, known before"), "\(said)")
        }
    }

    @Test func statusesTellWhatHappened() async throws {
        try await withTemporaryFolder { folder in
            let archive = try Archive(in: folder)
            let good = archive.plate.watched.appending(path: "01_B2_f0.tiff").path
            let faulty = archive.plate.watched.appending(path: "02_D4_f3.tiff").path
            func status(_ arguments: [String], saying words: String) async throws -> Int32 {
                let program = try Program(["score"] + arguments, in: folder)
                let status = try await program.end()
                #expect(words.isEmpty || program.said.contains(words), "\(arguments): \(program.said)")
                return status
            }
            let model = ["--model", Program.model]
            for out in [[], ["--out", archive.path("a")]] {
                #expect(try await status(model + out + [good], saying: "") == 0)
                #expect(try await status(model + out + [faulty], saying: "") == 0)
                #expect(try await status(model + out + ["--fail-on-faulty", good, faulty], saying: "") == 3)
                #expect(try await status(model + out, saying: "name frames") == 64)
                #expect(try await status(model + out + [archive.path("no")], saying: "no such file") == 66)
                #expect(try await status(["--model", good] + out + [good], saying: "Error") == 78)
            }
            #expect(try await status(model + ["--shard", "1/2", good], saying: "--out") == 64)
            #expect(try await status(model + ["--out", "x", "--shard", "3/2", good], saying: "3/16") == 64)
            #expect(try await status(model + ["--out", "x", "--maps", "y", good], saying: "--maps") == 64)
            // What belongs to no well is no input.
            let odd = folder.appending(path: "odd.tiff")
            try archive.plate.data(faulty: false).write(to: odd)
            #expect(
                try await status(model + ["--out", archive.path("b"), odd.path], saying: "pattern") == 66
            )
            // Another process writes the folder.
            let held = """
                exec 9> '\(archive.path("a"))/.lock'; flock 9; "$0" score --model '\(Program.model)' --out '\(archive.path("a"))' '\(good)'
                """
            #expect(try await Program.shell(held, in: folder).status == 75)
        }
    }

    @Test func aListOnStandardInputAndNothingSaid() async throws {
        try await withTemporaryFolder { folder in
            let archive = try Archive(in: folder)
            let line = """
                ls '\(archive.plate.watched.path)'/*_f0.tiff | "$0" score --model '\(Program.model)' --quiet --jsonl \
                --out '\(archive.path("out"))' --files-from -
                """
            let (status, said) = try await Program.shell(line, in: folder)
            #expect(status == 0)
            #expect(said == "")
            let rows = try archive.bytes("out/frames.jsonl").split(separator: 10)
            #expect(rows.count == 6)
            let again = line.replacing("--files-from -", with: "-")
            #expect(try await Program.shell(again, in: folder).status == 0)
            // A file that is not there now is no verdict; the next run takes it up.
            let list = folder.appending(path: "list")
            let missing = archive.plate.watched.appending(path: "01_A1_f9.tiff")
            try Data((missing.path + "\n").utf8).write(to: list)
            let more = ["--files-from", list.path]
            var ended = try await archive.score(archive.path("out"), more)
            #expect(ended.status == 65 && ended.said.contains("could not be reached"), "\(ended.said)")
            try archive.plate.add("01_A1_f9.tiff")
            ended = try await archive.score(archive.path("out"), more)
            #expect(ended.status == 0, "\(ended.said)")
        }
    }

    @Test func whatDoesNotFitIsNamed() async throws {
        try await withTemporaryFolder { folder in
            let archive = try Archive(in: folder)
            let first = archive.plate.watched.appending(path: "01_B2_f0.tiff").path
            let second = archive.plate.watched.appending(path: "01_B2_f1.tiff").path
            func score(_ out: String, _ precision: String, _ path: String) async throws -> (Int32, String) {
                let program = try Program(
                    [
                        "score", "--model", Program.model, "--out", archive.path(out), "--precision",
                        precision, path,
                    ],
                    in: folder
                )
                return (try await program.end(), program.said)
            }
            #expect(try await score("a", "f32", first).0 == 0)
            let (status, said) = try await score("a", "int8", second)
            #expect(status == 1 && said.contains("in f32") && said.contains("--precision"), "\(said)")
            #expect(try await score("b", "f32", second).0 == 0)
            #expect(
                try await score("c", "int8", archive.plate.watched.appending(path: "02_H12_f0.tiff").path).0
                    == 0
            )
            let merge = try Program(
                ["merge", "--out", archive.path("m")] + ["a", "b", "c"].map(archive.path),
                in: folder
            )
            #expect(try await merge.end() == 1)
            #expect(merge.said.contains("/b: run 01, well B02, is in another part"), "\(merge.said)")
            #expect(merge.said.contains("/c: its verdicts are of model"), "\(merge.said)")
            let rows = try archive.bytes("m/frames.csv").split(separator: 10)
            #expect(rows.count == 2)
            let none = try Program(["merge", "--out", archive.path("n"), folder.path], in: folder)
            #expect(try await none.end() == 1)
            #expect(none.said.contains("has no ledger"))
        }
    }
}
