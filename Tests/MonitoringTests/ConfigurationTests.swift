import Foundation
import Reporting
import TestSupport
import Testing

@testable import Monitoring

struct ConfigurationTests {
    private static let least = "model: m.safetensors\noutput: out\nwatch: [in]\n"

    @Test func pathsAreRelativeToTheFile() async throws {
        try await withTemporaryFolder { folder in
            let configuration = try Self.load(Self.least, in: folder)
            #expect(configuration.model == "\(folder.path)/m.safetensors")
            #expect(configuration.output.root == "\(folder.path)/out")
            #expect(configuration.watch == ["\(folder.path)/in"])
        }
    }

    @Test func theCanarySingsEveryHourUnlessItIsOff() async throws {
        try await withTemporaryFolder { folder in
            let usual = try Self.load(Self.least, in: folder).canary
            #expect((usual.every, usual.frames, usual.alarmBelow) == (.seconds(3600), 4, 0.7))
            #expect(try Self.load("\(Self.least)canary: {every: 0}\n", in: folder).canary.every == nil)
            let often = try Self.load("\(Self.least)canary: {every: 10m, frames: 2}\n", in: folder).canary
            #expect((often.every, often.frames) == (.seconds(600), 2))
        }
    }

    @Test func theCommandLineWins() async throws {
        try await withTemporaryFolder { folder in
            let path = folder.appending(path: "plate.yaml")
            try Data("\(Self.least)batch: {frames: 8}\n".utf8).write(to: path)
            var flags = ConfigurationSettings()
            flags.batchFrames = 2
            flags.watch = ["/elsewhere", "/elsewhere/"]
            let configuration = try Configuration.load(path: path.path, overrides: flags)
            #expect(configuration.batchFrames == 2)
            #expect(configuration.watch == ["/elsewhere"])
        }
    }

    @Test(arguments: [
        ("treshold: 3", 4, "treshold", "`threshold`"),
        ("batch: {frame: 3}", 4, "batch.frame", "`batch.frames`"),
        ("frames: 3", 4, "frames", "`batch.frames`"),
        ("\nhysterese:\n  onset: 1", 5, "hysterese", "`hysteresis`"),
        ("batch:\n  frames: 0", 5, "batch.frames", "from 1 to 64"),
        ("stop_timeout: 2", 4, "stop_timeout", "with its unit"),
        ("batch:\n  wait: 2s", 5, "batch.wait", "no such key"),
        ("masks: maybe", 4, "masks", "true or false"),
        ("batch: 4", 4, "batch", "`key: value`"), ("log: {level: loud}", 4, "log.level", "trace, debug"),
        ("limits: {pages: -1}", 4, "limits.pages", "whole number"),
        ("poll: {interval: 0}", 4, "poll.interval", "not 0"),
        ("limits: {decoding: 0}", 4, "limits.decoding", "not 0"),
        ("learn: some", 4, "learn", "from 0 to 1000"),
        ("threads: 1.5", 4, "threads", "whole number"),
        ("canary: {every: 500ms}", 4, "canary.every", "at least 1 s"),
        ("canary: {alarm_below: 70}", 4, "canary.alarm_below", "from 0 to 1"),
        ("canary: {evry: 1h}", 4, "canary.evry", "`canary.every`"),
        ("folders: /data", 4, "folders", "no known key is like it"),
    ])
    func mistakesNameKeyLineAndRemedy(text: String, line: Int, key: String, hint: String) async throws {
        try await withTemporaryFolder { folder in
            let error = try #require(throws: ConfigurationError.self) {
                try Self.load("\(Self.least)\(text)\n", in: folder)
            }
            #expect(error.key == key)
            #expect(error.line == line)
            #expect(error.path == "\(folder.path)/plate.yaml")
            #expect(error.description.contains(hint), "\(error)")
        }
    }

    @Test func allMistakesOfAFileAreNamedAtOnce() async throws {
        let text = """
            modle: m.safetensors
            output: out
            batch: {frames: 0}
            treshold: 3
            hysteresis:
              onset: 3
              of: 2
            """
        try await withTemporaryFolder { folder in
            let error = try #require(throws: ConfigurationError.self) { try Self.load(text, in: folder) }
            let expected = [
                (1, "modle", "`model`"), (3, "batch.frames", "from 1 to 64"), (4, "treshold", "`threshold`"),
                (6, "hysteresis.onset", "`hysteresis.of`"),
            ].map { ("\(folder.path)/plate.yaml:\($0): \($1): ", $2) }
            let lines = error.description.split(separator: "\n")
            for (place, hint) in expected {
                #expect(lines.contains { $0.hasPrefix(place) && $0.contains(hint) }, "\(place): \(error)")
            }
            // Beside the four only `watch` is missing: a misspelt model is no missing one.
            #expect(
                lines.count == 5 && error.description.contains("plate.yaml: watch: it is missing"),
                "\(error)"
            )
        }
    }

    @Test func mistakesOfTheFileAndWhatIsNotThereAreNamedAtOnce() async throws {
        try await withTemporaryFolder { folder in
            try Data().write(to: folder.appending(path: "file"))
            let text = """
                model: m
                output: file/out
                watch: [in, elsewhere]
                batch: {frames: 0}
                learn: 5
                threshold: 3
                treshold: 4
                modle: m
                """
            let error = try #require(throws: ConfigurationError.self) {
                try Self.load(text, in: folder, checking: .everything)
            }
            let expected = [
                "4: batch.frames: \"0\" cannot be its value", "7: treshold: there is no such key",
                "8: modle: there is no such key", "5: learn: a threshold of your own",
                "1: model: \(folder.path)/m is not there",
                "3: watch: \(folder.path)/in is not a folder",
                "3: watch: \(folder.path)/elsewhere is not a folder",
                "2: output: cannot ",
            ]
            let lines = error.description.split(separator: "\n")
            #expect(lines.count == expected.count, "\(error)")
            for start in expected {
                #expect(
                    lines.contains { $0.hasPrefix("\(folder.path)/plate.yaml:\(start)") },
                    "\(start): \(error)"
                )
            }
        }
    }

    @Test func anOutputThatIsRefusedIsNotMade() async throws {
        try await withTemporaryFolder { folder in
            let text = "model: m\noutput: in/out\nwatch: [in]\n"
            try FileManager.default.createDirectory(
                at: folder.appending(path: "in"),
                withIntermediateDirectories: true
            )
            let error = try #require(throws: ConfigurationError.self) {
                try Self.load(text, in: folder, checking: .everything)
            }
            #expect(([error] + error.others).map(\.key) == ["output", "model"])
            #expect(!FileManager.default.fileExists(atPath: folder.appending(path: "in/out").path))
        }
    }

    @Test func theCommandLineIsCheckedLikeTheFile() async throws {
        try await withTemporaryFolder { folder in
            let path = folder.appending(path: "plate.yaml").path
            try Data("\(Self.least)threads: 2\nlearn: 2000\n".utf8).write(to: URL(filePath: path))
            var flags = ConfigurationSettings()
            flags.threads = 5000
            flags.model = "/nowhere/m.safetensors"
            let error = try #require(throws: ConfigurationError.self) {
                try Configuration.load(path: path, overrides: flags, checking: .everything)
            }
            let lines = error.description.split(separator: "\n")
            #expect(lines.count == 4, "\(error)")
            #expect(lines.contains { $0.hasPrefix("\(path):5: learn: \"2000\"") })
            #expect(lines.contains { $0.hasPrefix("threads: \"5000\"") && $0.contains("from 0 to 1024") })
            #expect(lines.contains { $0.hasPrefix("model: /nowhere/m.safetensors is not there") })
            #expect(lines.contains { $0.hasPrefix("\(path):3: watch: ") })
        }
    }

    @Test(arguments: [
        ("output: out\nwatch: [in]", "model"), ("model: m\nwatch: [in]", "output"),
        ("model: m\noutput: out", "watch"), ("model: m\noutput: out\nwatch: []", "watch"), ("", "model"),
        ("model: m\noutput: out\nwatch: in", "watch"),
        ("model: m\noutput: in/out\nwatch: [in]", "output"), ("model: m\noutput: in\nwatch: [in]", "output"),
        ("model: m\noutput: o\nwatch: [in]\nhysteresis: {onset: 3, of: 2}", "hysteresis.onset"),
        ("model: m\noutput: o\nwatch: [in]\npattern: nothing", "pattern"),
        ("model: m\noutput: o\nwatch: [in]\nlearn: 5\nthreshold: 3", "learn"),
    ])
    func whatIsMissingOrContradictsItselfIsNamed(text: String, key: String) async throws {
        try await withTemporaryFolder { folder in
            let error = try #require(throws: ConfigurationError.self) { try Self.load(text, in: folder) }
            #expect(error.key == key)
            #expect(!error.remedy.isEmpty)
        }
    }

    @Test(arguments: ["model: [", "a: b: c", "- x", "model: m\nmodel: n", "\t- :"])
    func whatIsNoYAMLIsRefusedWithASentence(text: String) async throws {
        try await withTemporaryFolder { folder in
            _ = #expect(throws: ConfigurationError.self) { try Self.load(text, in: folder) }
        }
    }

    @Test func anOutputBehindALinkIsFoundInTheWatchedFolder() async throws {
        try await withTemporaryFolder { folder in
            let inside = folder.appending(path: "in/deep")
            try FileManager.default.createDirectory(at: inside, withIntermediateDirectories: true)
            try FileManager.default.createSymbolicLink(
                at: folder.appending(path: "link"),
                withDestinationURL: inside
            )
            let text = "model: m\noutput: link/out\nwatch: [in]\n"
            _ = #expect(throws: ConfigurationError.self) { try Self.load(text, in: folder) }
            _ = try Self.load("\(text)output_inside_watch: true\n", in: folder)
        }
    }

    @Test func theCheckEndsWhenEverythingIsThere() async throws {
        try await withTemporaryFolder { folder in
            func mistakes() -> [String?] {
                let error = #expect(throws: ConfigurationError.self) {
                    try Self.load(Self.least, in: folder, checking: .everything)
                }
                return error.map { ([$0] + $0.others).map(\.key) } ?? []
            }
            #expect(mistakes() == ["model", "watch"])
            try Data().write(to: folder.appending(path: "m.safetensors"))
            #expect(mistakes() == ["watch"])
            try FileManager.default.createDirectory(
                at: folder.appending(path: "in"),
                withIntermediateDirectories: true
            )
            _ = try Self.load(Self.least, in: folder, checking: .everything)
        }
    }

    @Test(arguments: [("500ms", 0.5), ("2s", 2), ("1.5m", 90), ("1h", 3600), ("0", 0)])
    func timesCarryTheirUnit(text: String, seconds: Double) {
        #expect(Duration(withUnit: text) == .milliseconds(Int(seconds * 1000)))
    }

    @Test(arguments: ["", "2", "s", "-1s", "1d", "1e9s", "99999h", "1 s", "nan", "1.2.3s"])
    func timesOfNoUseAreRefused(text: String) {
        #expect(Duration(withUnit: text) == nil)
    }

    private static func load(
        _ text: String,
        in folder: URL,
        checking checks: Configuration.FileChecks = .nothing
    ) throws -> Configuration {
        let path = folder.appending(path: "plate.yaml")
        try Data(text.utf8).write(to: path)
        return try Configuration.load(path: path.path, checking: checks)
    }
}
