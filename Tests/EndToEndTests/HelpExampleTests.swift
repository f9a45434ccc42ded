import Foundation
import Plate
import Reporting
import TestSupport
import Testing

/// The examples in the help of the commands, run as they stand there.
struct HelpExampleTests {
    /// Every command, and what its examples need.
    private static let commands: [String: [Need]] = [
        "watch": [], "validate": [], "doctor": [], "notify": [],
        "tail": [.output], "audit": [.output], "sync": [.daemon], "export": [.output], "view": [.output],
        "review": [.output], "lenses": [.output], "rejudge": [.output],
        "score": [], "merge": [.parts], "train": [], "calibrate": [.output], "import": [.checkpoints],
        "export-model": [], "model show": [], "model set": [],
        "benchmark": [.checkpoints, .set],
        "simulate set": [], "simulate inject": [], "simulate sheet": [.real],
        "simulate plate": [.emptyFolder],
        "simulate check": [.truth],
        "measure kernels": [], "measure network": [], "measure pipeline": [], "measure training": [],
        "measure published": [], "measure all": [],
    ]

    /// What lies beside frames, models and a configuration.
    private enum Need { case output, daemon, parts, checkpoints, set, truth, real, emptyFolder }

    /// These have no end, or take long: they are stopped once they have said something.
    private static let endless = [
        "watch --config", "watch --model", "notify --config /etc/autoqc/plate.yaml", "view", "train",
        "calibrate",
        "tail /srv/autoqc --turns", "tail /srv/autoqc --event", "simulate plate", "simulate set --out set",
        "simulate inject", "simulate sheet", "benchmark", "measure",
    ]
    /// Not run: it takes five gigabytes.
    private static let without = ["measure published"]

    /// The commands whose examples need golden values, real frames, or neither.
    private static func commands(needing need: Need?) -> [String] {
        commands.filter { command, needs in
            let outside = needs.first { $0 == .checkpoints || $0 == .real }
            return outside == need && !without.contains(command)
        }.keys.sorted()
    }

    /// The text of a command's help.
    private static func help(_ command: String, in folder: URL) async throws -> String {
        let words = command.split(separator: " ").map { String($0) }
        let program = try Program(["help"] + words, in: folder)
        #expect(try await program.end() == 0)
        return program.printed
    }

    /// The lines below `Examples:`, with continued ones joined.
    private static func examples(in help: String) -> [String] {
        let lines = help.replacing("\\\n", with: " ").split(separator: "\n", omittingEmptySubsequences: false)
        guard let start = lines.firstIndex(where: { $0.hasPrefix("Example") }) else { return [] }
        return lines[(start + 1)...].prefix { $0.hasPrefix("  autoqc ") }
            .map { $0.split(separator: " ").joined(separator: " ") }
    }

    @Test func everyCommandHasExamplesThatAreRun() async throws {
        try await withTemporaryFolder { folder in
            var found: Set<String> = []
            for group in ["", "model", "simulate", "measure"] {
                let help = try await Self.help(group, in: folder)
                let list = try #require(help.components(separatedBy: "SUBCOMMANDS:\n").last)
                for line in list.split(separator: "\n") {
                    guard let name = line.wholeMatch(of: #/  ([a-z-]+) .*/#)?.output.1 else { continue }
                    found.insert(group.isEmpty ? String(name) : "\(group) \(name)")
                }
            }
            #expect(found.subtracting(["model", "simulate", "measure"]) == Set(Self.commands.keys))
        }
    }

    @Test(arguments: commands(needing: nil))
    func theExamplesOf(command: String) async throws { try await run(command) }

    @Test(
        .enabled(if: TestData.fixtures != nil, Comment(rawValue: TestData.missingFixtures)),
        arguments: commands(needing: .checkpoints)
    )
    func theExamplesWithCheckpointsOf(command: String) async throws { try await run(command) }

    @Test(
        .enabled(if: TestData.data != nil, Comment(rawValue: TestData.missingData)),
        arguments: commands(needing: .real)
    )
    func theExamplesWithRealFramesOf(command: String) async throws { try await run(command) }

    private func run(_ command: String) async throws {
        let needs = try #require(Self.commands[command])
        try await withTemporaryFolder { folder in
            let bench = try Bench(in: folder)
            let examples = Self.examples(in: try await Self.help(command, in: folder))
            #expect(!examples.isEmpty)
            var daemon: Program?
            for need in needs {
                switch need {
                case .output: try await bench.judge()
                case .daemon: daemon = try await bench.startDaemon()
                case .parts: try await bench.judgeParts()
                case .checkpoints: try await bench.addCheckpoints(try #require(TestData.fixtures))
                case .set: try await bench.simulateSet()
                case .real: try bench.addRealFrames(try #require(TestData.data))
                case .truth: try await bench.simulatePlate()
                case .emptyFolder: try bench.emptyWatched()
                }
            }
            for example in examples {
                let endless = Self.endless.contains { example.dropFirst("autoqc ".count).hasPrefix($0) }
                try await bench.run(
                    example,
                    stopped: endless && !example.contains("--once") && !example.contains("--test")
                )
            }
            if let daemon {
                daemon.signal(SIGTERM)
                #expect(try await daemon.end() == 0)
            }
        }
    }
}

/// A machine as the examples take it for granted: folders below `/`, and files in the current one.
private struct Bench {
    private let root: URL
    private let work: URL
    private var watched: URL { root.appending(path: "data/complexeye") }

    init(in folder: URL) throws {
        root = folder
        work = folder.appending(path: "work")
        let plate = try TestPlate(in: folder)
        let files = FileManager.default
        for name in ["data/complexeye", "srv", "etc/autoqc", "work/frames", "work/others", "work/models"] {
            try files.createDirectory(at: folder.appending(path: name), withIntermediateDirectories: true)
        }
        for index in 0..<8 {
            try plate.data(faulty: index >= 6).write(to: watched.appending(path: "01_B1_f\(index).tiff"))
        }
        for folder in ["frames", "others"] {
            for index in 0..<8 {
                let path = work.appending(path: "\(folder)/01_A1_f\(index).tiff")
                try plate.data(faulty: false).write(to: path)
            }
        }
        try plate.data(faulty: false).write(to: work.appending(path: "frame.tiff"))
        let list = (0..<8).map { "frames/01_A1_f\($0).tiff,,0\n" }.joined()
        try Data("img_path,seg_path,label\n\(list)".utf8).write(to: work.appending(path: "normal.csv"))
        for name in ["complexeye", "mine", "model", "models/complexeye"] {
            try files.copyItem(
                atPath: Program.model,
                toPath: work.appending(path: "\(name).safetensors").path
            )
        }
        let faults = packageRoot.appending(path: "examples/faults.yaml")
        try files.copyItem(at: faults, to: work.appending(path: "faults.yaml"))
        let configuration = """
            model: \(Program.model)
            output: \(root.path)/srv/autoqc
            watch: [\(watched.path)]
            threads: 1
            notify:
              targets:
                keeper: {command: [/bin/cat]}

            """
        try Data(configuration.utf8).write(to: root.appending(path: "etc/autoqc/plate.yaml"))
    }

    /// Runs a line of the help; `stopped` once it has said or printed something.
    func run(_ line: String, stopped: Bool = false) async throws {
        let placed = line.replacing(" /", with: " \(root.path)/").replacing(
            "127.0.0.1:8764",
            with: "127.0.0.1:0"
        )
        .replacing("127.0.0.1:9000", with: "127.0.0.1:0")
        let program = try Program(line: placed, in: work)
        if stopped {
            try await until("\(line) says something", by: program) {
                !program.isRunning || !program.said.isEmpty || !program.printed.isEmpty
            }
            program.signal(SIGINT)
        }
        let status = try await program.end()
        #expect(
            status == 0 || stopped && [128 + SIGINT, 128 + SIGTERM].contains(status),
            "\(line): \(status), \(program.said)"
        )
    }

    private func ended(_ line: String) async throws {
        let program = try Program(line: "autoqc \(line)", in: work)
        guard try await program.end() == 0 else { throw Program.Failure(description: program.said) }
    }

    /// Judges the frames, and a reviewer calls one a true fault.
    func judge() async throws {
        try await ended("watch --once --config \(root.path)/etc/autoqc/plate.yaml")
        try DecisionLog(OutputTree(root: "\(root.path)/srv/autoqc")).add(
            Decision(
                run: "01",
                well: try #require(Well("B1")),
                frame: 7,
                kind: .fault,
                note: "",
                reviewer: "A. Microscopist",
                decided: Timestamp(nanoseconds: 1_795_341_601_000_000_000)
            )
        )
    }

    /// A plate that is simulated there has a frame of the same name, and nothing is replaced.
    func emptyWatched() throws {
        try FileManager.default.removeItem(at: watched)
        try FileManager.default.createDirectory(at: watched, withIntermediateDirectories: true)
    }

    func startDaemon() async throws -> Program {
        let program = try Program(["watch", "--config", "\(root.path)/etc/autoqc/plate.yaml"], in: work)
        try await until("the daemon has its ledger", by: program) {
            FileManager.default.fileExists(atPath: "\(root.path)/srv/autoqc/ledger.sqlite")
        }
        return program
    }

    func judgeParts() async throws {
        for part in 1...2 {
            let options = "--model \(Program.model) --out part\(part) --shard \(part)/2 --quiet"
            try await ended("score \(options) \(watched.path)")
        }
    }

    func addCheckpoints(_ fixtures: URL) async throws {
        try await ended("export-model \(Program.model) --onnx model.onnx")
        let lightning = fixtures.appending(path: "lightning")
        for name in try FileManager.default.contentsOfDirectory(atPath: lightning.path) {
            let source = lightning.appending(path: name)
            if name.hasSuffix(".ckpt") {
                try FileManager.default.copyItem(at: source, to: work.appending(path: "epoch-299.ckpt"))
            } else if name.hasPrefix("fanogan") {
                try FileManager.default.copyItem(at: source, to: work.appending(path: "fold0"))
            }
        }
    }

    func addRealFrames(_ data: URL) throws {
        try FileManager.default.createSymbolicLink(
            at: root.appending(path: "data/real"),
            withDestinationURL: data
        )
    }

    /// A small set, also in the place of the published one.
    func simulateSet() async throws {
        let size = "--normal 8 --faulty 8 --train 8 --folds 2 --width 256 --height 192"
        try await ended("simulate set --out set \(size)")
        try await ended("import epoch-299.ckpt --out models/pddpm.safetensors")
        try FileManager.default.createSymbolicLink(
            at: work.appending(path: "S-BIAD2133"),
            withDestinationURL: work.appending(path: "set")
        )
    }

    func simulatePlate() async throws {
        let size = "--wells 2 --frames 3 --width 256 --height 192 --speed 1000 --run 02"
        try await ended("simulate plate --out \(watched.path) --truth truth.csv \(size)")
        try await judge()
    }
}
