import Foundation
import Frames
import Reporting
import Rules
import TestSupport
import Testing

@testable import Monitoring

/// The table of keys, and the two files that are printed from it.
struct ConfigurationTableTests {
    private static let table = Configuration.table
    private static let least = ["model": "m.safetensors", "output": "out", "watch": "[in]"]

    /// For each key a value that is not its default.
    private static let others = [
        "model": "other.safetensors", "output": "elsewhere", "output_inside_watch": "true",
        "watch": "[in, there]",
        "pattern": "\"{run}-{well}-{frame}.tif\"", "channel": "2", "plane": "time", "only_new": "true",
        "poll.always": "true",
        "poll.interval": "3s",
        "batch.frames": "5", "queue.names": "500", "hysteresis.onset": "3", "hysteresis.of": "4",
        "hysteresis.evidence": "false",
        "threshold": "3.5", "learn": "7", "masks": "false", "regions": "false", "scores": "false",
        "frozen.frames": "6", "drift": "false", "lenses.rows": "2", "lenses.columns": "2",
        "advice.actions": "[pause, stop]", "advice.share": "0.25", "advice.patience": "3",
        "advice.expires": "10m",
        "limits.width": "1280", "limits.height": "800", "limits.pages": "7", "limits.memory": "512",
        "limits.decoding": "5s", "read.attempts": "2", "threads": "3", "precision": "f32",
        "stop_timeout": "1m",
        "stalled_after": "10m", "canary.every": "0", "canary.frames": "2", "canary.alarm_below": "0.5",
        "web.listen": "\"127.0.0.1:8764\"", "web.token": "0123456789abcdef", "web.plate": "384",
        "notify.targets": "{pager: {command: [/bin/true]}}", "notify.limit": "3", "notify.keep": "2h",
        "log.level": "debug",
    ]

    private static func configuration(_ values: [String: String], in folder: URL) throws -> Configuration {
        let path = folder.appending(path: "plate.yaml")
        let lines = values.map { name, value in
            let parts = name.split(separator: ".")
            return parts.count == 2 ? "\(parts[0]): {\(parts[1]): \(value)}" : "\(name): \(value)"
        }
        try Data(lines.joined(separator: "\n").utf8).write(to: path)
        return try Configuration.load(path: path.path)
    }

    @Test func everyRowIsListedOnceAndExplained() {
        let rows = Self.table.rows
        #expect(rows.count == Mirror(reflecting: Self.table).children.count, "a row is missing in `rows`")
        #expect(Set(rows.map(\.name)) == Set(Self.others.keys) && rows.count == Self.others.count)
        for row in rows {
            #expect(row.sentence.hasSuffix(".") && row.sentence.count > 20, "\(row.name) needs a sentence")
        }
    }

    @Test(arguments: others.keys.sorted())
    func aReloadTakesWhatTheTableSays(name: String) async throws {
        try await withTemporaryFolder { folder in
            let row = try #require(Self.table.rows.first { $0.name == name })
            let old = try Self.configuration(Self.least, in: folder)
            let changed = Self.least.merging([name: Self.others[name] ?? ""]) { $1 }
            let new = try Self.configuration(changed, in: folder)
            #expect(new != old)
            #expect(new.needsRestart(after: old) == (row.effect == .restart ? [name] : []))
            #expect(new.reloaded(after: old) == (row.effect == .restart ? old : new))
        }
    }

    @Test func theTableAnswersWhatAReloadDoes() {
        #expect(Self.table.frozenFrames.effect == .nextBatch)
        #expect(Self.table.canaryFrames.effect == .nextRound)
        #expect(Self.table.stopTimeout.effect == .atOnce)
        let fixed = Self.table.rows.filter { $0.effect == .restart }.map(\.name)
        #expect(
            fixed == [
                "output", "watch", "pattern", "channel", "plane", "only_new", "poll.always", "poll.interval",
                "limits.width", "limits.height", "limits.pages", "limits.memory", "limits.decoding",
                "threads", "web.listen",
                "web.token", "web.plate", "log.level",
            ]
        )
    }

    @Test func theExampleIsPrintedFromTheTable() throws {
        let path = packageRoot.appending(path: "examples/autoqc.yaml")
        let text = try String(contentsOf: path, encoding: .utf8)
        #expect(
            text == Self.table.example + "\n",
            "renew it with `autoqc validate --example > examples/autoqc.yaml`"
        )
    }

    @Test func thePageOfTheDocumentationIsPrintedFromTheTable() throws {
        let path = packageRoot.appending(path: "docs/configuration.md")
        let text = try String(contentsOf: path, encoding: .utf8)
        #expect(
            text == Self.table.page + "\n",
            "renew it with `autoqc validate --keys > docs/configuration.md`"
        )
    }

    @Test func theExampleSaysTheDefaults() throws {
        let example = try Configuration.load(path: packageRoot.appending(path: "examples/autoqc.yaml").path)
        var least = ConfigurationSettings()
        least.model = example.model
        least.output = example.output.root
        least.watch = example.watch
        #expect(try Configuration(least) == example)
        // The figures themselves, so that a changed default is seen.
        #expect(example.threshold == nil && example.stalledAfter == .automatic && example.web == nil)
        #expect((example.batchFrames, example.queueNames, example.frozenFrames) == (4, 50_000, 5))
        #expect((example.hysteresis.onset, example.hysteresis.window) == (2, 3))
        #expect(example.limits == .default)
        #expect((example.pollInterval, example.stopTimeout) == (.seconds(2), .seconds(30)))
    }

    @Test func theHelpOfAnOptionSaysRangeAndDefault() {
        #expect(
            Self.table.learn.help
                == "Calibrate on the first N frames of each well of a run. 0 turns this off "
                + "(0 to 1000 frames; default: 0)."
        )
    }
}
