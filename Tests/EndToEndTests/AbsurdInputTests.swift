import Foundation
import Ledger
import Plate
import TestSupport
import Testing

/// No number, no time and no way of closing a stream ends the program without a sentence.
@Suite(.serialized) struct AbsurdInputTests {
    private static let absurd = [
        "x", "nan", "NaN", "inf", "-inf", "-1", "1e300", "-1e300", "9223372036854775807",
        "-9223372036854775808",
        "99999999999999999999", "0x1p1023",
    ]

    /// Each command that has numbers, with what it needs besides.
    private static let numbers: [(command: [String], options: [String])] = [
        (["sync", "out"], ["--timeout"]),
        (["score", "--model", "m", "x"], ["--threads", "--overlap"]),
        (
            ["calibrate", "m", "--normal", "x"],
            ["--false-alarms", "--mask-rate", "--copies", "--timestep", "--overlap"]
        ),
        (
            ["import", "c", "--out", "m"],
            ["--head-channels", "--window", "--patch", "--overlap", "--timestep"]
        ),
        (["rejudge", "out"], ["--threshold"]),
        (["review", "out", "--html", "x"], ["--megabytes", "--lens-rows", "--lens-columns"]),
        (["lenses", "out"], ["--lens-rows", "--lens-columns"]),
        (["tail", "out"], ["--lines"]),
        (
            ["train", "--normal", "x", "--out", "m"],
            [
                "--steps", "--batch", "--learning-rate", "--timestep", "--patch", "--phases", "--unshuffle",
                "--widths",
                "--depths", "--threads",
            ]
        ),
        (
            ["train", "--profile", "reference", "--normal", "x", "--out", "m"],
            ["--epochs", "--channels", "--multipliers", "--blocks", "--window", "--latent", "--overlap"]
        ),
        (
            ["benchmark", "--data", "d", "--out", "o"],
            ["--steps", "--batch", "--learning-rate", "--epochs", "--threads"]
        ),
        (
            ["simulate", "set", "--out", "o"],
            ["--train", "--normal", "--faulty", "--folds", "--width", "--height", "--jpeg"]
        ),
        (
            ["simulate", "inject", "--out", "o", "--train", "x", "--test", "x"],
            ["--copies", "--width", "--height"]
        ),
        (
            ["simulate", "plate", "--out", "o"],
            ["--wells", "--interval", "--frames", "--speed", "--width", "--height"]
        ),
        (
            ["simulate", "check", "--out", "o", "--truth", "t"],
            ["--min-recall", "--min-precision", "--max-false-alarms", "--max-p99"]
        ),
        (["measure", "kernels"], ["--threads", "--passes"]),
    ]

    @Test(arguments: numbers.indices)
    func absurdNumbersAreRefusedBeforeAnythingBegins(index: Int) async throws {
        let (command, options) = Self.numbers[index]
        try await withTemporaryFolder { folder in
            let line = """
                for o in \(options.joined(separator: " ")); do for v in \(Self.absurd.joined(separator: " ")) ''; do \
                said=$("$0" \(command.joined(separator: " ")) $o="$v" 2>&1); s=$?; \
                test $s = 64 -a -n "$said" || echo "$o=$v: status $s, $said" >&2; done; done
                """
            let (_, said) = try await Program.shell(line, in: folder)
            #expect(said.isEmpty, "\(command.joined(separator: " "))")
        }
    }

    @Test(arguments: [
        "\"$0\" validate --example > /dev/full", "\"$0\" validate --keys > /dev/full",
        "\"$0\" --help > /dev/full",
        "\"$0\" validate --example >&-", "\"$0\" --help >&-",
        "set -o pipefail; \"$0\" validate --keys | true",
    ])
    func outputThatIsLostIsAnError(line: String) async throws {
        try await withTemporaryFolder { folder in
            let (status, said) = try await Program.shell(line, in: folder)
            #expect(status == 1, "\(said)")
            #expect(said.contains("Cannot write \"standard output\""), "\(said)")
        }
    }

    @Test func closedStreamsAreNotTakenByFiles() async throws {
        try await withTemporaryFolder { folder in
            let plate = try TestPlate(in: folder)
            try plate.add("01_A1_f0.tiff", faulty: true)
            let arguments = plate.watchArguments.map { "'\($0)'" }.joined(separator: " ")
            let (status, _) = try await Program.shell("\"$0\" \(arguments) --once <&- >&- 2>&-", in: folder)
            #expect(status == 0)
            #expect(plate.counts() == [.judged: 1])
            // Nothing of the log is in the ledger's file.
            #expect(try plate.records().count == 1)
            let (failed, _) = try await Program.shell(
                "\"$0\" export '\(plate.out.path)' <&- >&- 2>&-",
                in: folder
            )
            #expect(failed == 1)
        }
    }

    @Test func framesOfAnyTimeAreJudged() async throws {
        try await withTemporaryFolder { folder in
            let plate = try TestPlate(in: folder)
            // The zero of NTFS, the ends of what 64 bits of nanoseconds hold, and far beyond.
            let seconds = [-11_644_473_600, -9_223_372_037, 9_223_372_037, 32_503_680_000, -1]
            for (index, time) in seconds.enumerated() {
                let name = "01_A\(index + 1)_f0.tiff"
                try plate.add(name, faulty: index % 2 == 0)
                let moment = timespec(tv_sec: time, tv_nsec: 999_999_999)
                let path = plate.watched.appending(path: name).path
                // A file system keeps the nearest time that it knows.
                #expect(unsafe utimensat(AT_FDCWD, path, [moment, moment], 0) == 0)
            }
            let program = try Program(plate.watchArguments + ["--once"], in: folder)
            #expect(try await program.end() == 0, "\(program.said)")
            #expect(plate.counts() == [.judged: seconds.count])
            for command in [["export"], ["audit"], ["sync"]] {
                let next = try Program(command + [plate.out.path], in: folder)
                #expect([0, 1].contains(try await next.end()), "\(command): \(next.said)")
            }
        }
    }

    @Test func aLedgerThatMakesNoSenseIsNamed() async throws {
        try await withTemporaryFolder { folder in
            let plate = try TestPlate(in: folder)
            try plate.add("01_A1_f0.tiff")
            try plate.add("01_A1_f1.tiff")
            let program = try Program(plate.watchArguments + ["--once"], in: folder)
            #expect(try await program.end() == 0, "\(program.said)")
            let change = """
                import sqlite3, sys
                c = sqlite3.connect(sys.argv[1])
                c.execute("UPDATE frames SET page = -1, mtime_ns = -9223372036854775808 WHERE path = '01_A1_f0.tiff'")
                c.commit()
                """
            let script = folder.appending(path: "change.py")
            try Data(change.utf8).write(to: script)
            let (status, said) = try await Program.shell(
                "python3 '\(script.path)' '\(plate.out.path)/ledger.sqlite'",
                in: folder
            )
            #expect(status == 0, "\(said)")
            let export = try Program(["export", plate.out.path], in: folder)
            #expect(try await export.end() == 1)
            #expect(
                export.said.contains("01_A1_f0.tiff") && export.said.contains("-1 as its page"),
                "\(export.said)"
            )
            // The daemon goes on beside it, and judges what has no row that makes sense.
            try plate.add("01_A1_f2.tiff")
            let again = try Program(plate.watchArguments + ["--once"], in: folder)
            #expect(try await again.end() == 0, "\(again.said)")
            #expect(again.said.contains("A row of the ledger makes no sense and is passed over"))
            let judged = try await Program.shell(
                "python3 -c \"import sqlite3; print(sqlite3.connect('\(plate.out.path)/ledger.sqlite')"
                    + ".execute('SELECT count(*) FROM frames WHERE page = 0').fetchone()[0])\" | grep -qx 3",
                in: folder
            )
            #expect(judged.status == 0, "\(judged.said)")
        }
    }

    @Test func devicesPipesAndLinksStayWhatTheyAre() async throws {
        try await withTemporaryFolder { folder in
            let truth = "file,run,well,frame,fault,strength,closed\n"
            try Data(truth.utf8).write(to: folder.appending(path: "truth.csv"))
            let plate = try TestPlate(in: folder)
            try plate.add("01_A1_f0.tiff", faulty: true)
            let program = try Program(plate.watchArguments + ["--once"], in: folder)
            #expect(try await program.end() == 0, "\(program.said)")
            let out = plate.out.path
            let lines = [
                "\"$0\" audit '\(out)' --json /dev/null && test -c /dev/null",
                "\"$0\" audit '\(out)' --json /dev/stdout | grep -q '\"files\"'",
                "\"$0\" audit '\(out)' --json - | grep -q '\"files\"'",
                "\"$0\" review '\(out)' --html - | grep -q '</html>'",
                "mkfifo p; cat p > copy & \"$0\" review '\(out)' --html p && wait && test -p p && grep -q '</html>' copy",
                "echo old > page; chmod 640 page; ln -s page link; \"$0\" review '\(out)' --html link && test -L link "
                    + "&& grep -q '</html>' page && test $(stat -c %a page) = 640",
                "\"$0\" rejudge '\(out)' --threshold 1 --frames - | grep -q 01_A1_f0",
                "! \"$0\" review '\(out)' --html /dev/full && test -c /dev/full",
                "cp '\(Program.model)' m1; ln -s m1 m; ! \"$0\" train --normal '\(plate.watched.path)' --steps 1 --out /dev/null "
                    + "&& test -c /dev/null",
            ]
            for line in lines {
                let (status, said) = try await Program.shell(line, in: folder)
                #expect(status == 0, "\(line): \(said)")
            }
        }
    }
}
