import Reporting
import StrictYAML

/// One key of the configuration file: its name and how its value is read.
struct ConfigurationKey: Sendable {
    /// The key with its sections, for example `batch.frames`.
    let name: String
    /// What its value is, for messages.
    let kind: String
    /// Stores a node's value, or says `false` where it is of another kind or out of range.
    let store: @Sendable (YAMLNode, String, inout ConfigurationSettings) -> Bool

    /// Every key there is.
    static let all: [ConfigurationKey] = [
        path("model", \.model), path("output", \.output), flag("output_inside_watch", \.outputInsideWatch),
        paths("watch", \.watch), text("pattern", \.pattern), flag("only_new", \.onlyNew),
        flag("poll.always", \.pollAlways),
        time("poll.interval", atLeast: .milliseconds(100), \.pollInterval),
        count("batch.frames", 1...64, \.batchFrames), count("queue.names", 100...10_000_000, \.queueNames),
        count("hysteresis.onset", 1...100, \.hysteresisOnset),
        count("hysteresis.of", 1...100, \.hysteresisOf), threshold("threshold", \.threshold),
        count("learn", 0...1000, \.learn),
        flag("masks", \.masks), flag("regions", \.regions), flag("scores", \.scores),
        count("frozen.frames", 0...32, \.frozenFrames), flag("drift", \.drift),
        count("lenses.rows", 0...32, \.lensRows),
        count("lenses.columns", 0...32, \.lensColumns), share("stop.share", \.stopShare),
        count("limits.width", 1...1 << 20, \.limitWidth),
        count("limits.height", 1...1 << 20, \.limitHeight), count("limits.pages", 1...1 << 20, \.limitPages),
        count("limits.memory", 1...65_536, \.limitMemory),
        time("limits.decoding", atLeast: .milliseconds(1), \.limitDecoding),
        count("read.attempts", 1...20, \.readAttempts),
        count("threads", 0...1024, \.threads), time("stop_timeout", \.stopTimeout),
        choice("precision", Configuration.precisions, \.precision), time("stalled_after", \.stalledAfter),
        time("canary.every", orAtLeast: .seconds(1), \.canaryEvery),
        count("canary.frames", 1...16, \.canaryFrames),
        share("canary.alarm_below", \.canaryAlarmBelow),
        text("web.listen", \.webListen), text("web.token", \.webToken),
        choice("web.plate", WebSettings.PlateFormat.allCases.map(\.rawValue), \.webPlate),
        choice("log.level", Configuration.logLevels, \.logLevel),
    ]

    /// Names of sections, which hold keys and no value of their own.
    static let sections = Set(
        all.compactMap { $0.name.split(separator: ".").dropLast().first.map(String.init) }
    )

    private typealias Field<Value> = any WritableKeyPath<ConfigurationSettings, Value?> & Sendable

    private static func path(_ name: String, _ field: Field<String>) -> ConfigurationKey {
        key(name, "a path", field) { node, folder in
            node.string.flatMap { $0.isEmpty ? nil : absolute($0, in: folder) }
        }
    }

    private static func paths(_ name: String, _ field: Field<[String]>) -> ConfigurationKey {
        key(name, "a list of paths", field) { node, folder in
            guard let sequence = node.sequence else { return nil }
            let texts = sequence.compactMap { $0.string }.filter { !$0.isEmpty }
            return texts.count == sequence.count ? texts.map { absolute($0, in: folder) } : nil
        }
    }

    private static func text(_ name: String, _ field: Field<String>) -> ConfigurationKey {
        key(name, "a text", field) { node, _ in node.string.flatMap { $0.isEmpty ? nil : $0 } }
    }

    private static func flag(_ name: String, _ field: Field<Bool>) -> ConfigurationKey {
        key(name, "true or false", field) { node, _ in node.bool }
    }

    private static func count(
        _ name: String,
        _ range: ClosedRange<Int>,
        _ field: Field<Int>
    ) -> ConfigurationKey {
        let kind = "a whole number from \(range.lowerBound) to \(range.upperBound)"
        return key(name, kind, field) { node, _ in node.int.flatMap { range.contains($0) ? $0 : nil } }
    }

    private static func threshold(_ name: String, _ field: Field<SeverityThreshold>) -> ConfigurationKey {
        key(name, "`calibrated` or a severity of at least 0", field) { node, _ in
            if node.string == "calibrated" { return .calibrated }
            return node.float.flatMap { $0.isFinite && $0 >= 0 ? .severity($0) : nil }
        }
    }

    private static func share(_ name: String, _ field: Field<Double>) -> ConfigurationKey {
        key(name, "a number from 0 to 1", field) { node, _ in
            node.float.flatMap { (0...1).contains($0) ? $0 : nil }
        }
    }

    private static func time(
        _ name: String,
        atLeast shortest: Duration = .zero,
        _ field: Field<Duration>
    ) -> ConfigurationKey {
        let kind = "a time with its unit, for example 500ms, 2s, 10m or 1h"
        return key(name, shortest > .zero ? "\(kind), and not 0" : kind, field) { node, _ in
            node.string.flatMap(duration).flatMap { $0 >= shortest ? $0 : nil }
        }
    }

    /// A time that may be left out by 0.
    private static func time(
        _ name: String,
        orAtLeast shortest: Duration,
        _ field: Field<Duration>
    ) -> ConfigurationKey {
        key(
            name,
            "a time of at least \(Int(shortest / .seconds(1))) s with its unit, for example 10m or 1h, or 0",
            field
        ) { node, _ in
            node.string.flatMap(duration).flatMap { $0 == .zero || $0 >= shortest ? $0 : nil }
        }
    }

    private static func choice(
        _ name: String,
        _ choices: [String],
        _ field: Field<String>
    ) -> ConfigurationKey {
        key(name, "one of \(choices.joined(separator: ", "))", field) { node, _ in
            node.string.flatMap { choices.contains($0) ? $0 : nil }
        }
    }

    private static func key<Value>(
        _ name: String,
        _ kind: String,
        _ field: Field<Value>,
        _ read: @escaping @Sendable (YAMLNode, String) -> Value?
    ) -> ConfigurationKey {
        ConfigurationKey(name: name, kind: kind) { node, folder, settings in
            guard let value = read(node, folder) else { return false }
            settings[keyPath: field] = value
            return true
        }
    }

    private static func absolute(_ path: String, in folder: String) -> String {
        path.hasPrefix("/") ? path : "\(folder)/\(path)"
    }

    /// Reads `500ms`, `2s`, `1.5m` or `1h`, and `0`; up to a year.
    static func duration(_ text: String) -> Duration? {
        if text == "0" { return .zero }
        let number = text.prefix { $0.isNumber || $0 == "." }
        let units = ["ms": 0.001, "s": 1, "m": 60, "h": 3600]
        guard let value = Double(number), let unit = units[String(text.dropFirst(number.count))],
            value * unit <= 366 * 86_400
        else { return nil }
        return .milliseconds(Int((value * unit * 1000).rounded()))
    }
}
