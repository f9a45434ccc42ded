import Foundation
import Plate
import Rules
import StrictYAML

/// Whether and when a running daemon takes a changed key at a reload (SIGHUP, `systemctl reload`).
package enum ReloadEffect: String, Sendable {
    /// As soon as the file is read.
    case atOnce = "yes, at once"
    /// With the next batch of frames that is judged.
    case nextBatch = "yes, from the next batch"
    /// With the next round of the canary.
    case nextRound = "yes, from the next round"
    /// Not before the next start.
    case restart = "no, needs a restart"
    /// The daemon does not use it: `autoqc notify` does, from its next start on.
    case restartOfNotify = "no, restart autoqc-notify"
}

/// One key of the configuration: a row of `ConfigurationTable`.
package struct ConfigurationKey<Value: Sendable & Equatable>: Sendable {
    /// The key with its section, for example `batch.frames`.
    package let name: String
    let kind: ValueKind<Value>
    /// The default; an example where the key is required.
    package let standard: Value
    let isRequired: Bool
    /// Whether and when a reload takes a change of it.
    private(set) var effect = ReloadEffect.restart
    /// What the key means, in one sentence.
    package private(set) var sentence = ""

    init(_ name: String, _ kind: ValueKind<Value>, default standard: Value) {
        (self.name, self.kind, self.standard, isRequired) = (name, kind, standard, false)
    }

    init(_ name: String, _ kind: ValueKind<Value>, required example: Value) {
        (self.name, self.kind, standard, isRequired) = (name, kind, example, true)
    }

    /// The row with its other half: when a reload takes the key, and what it means.
    func reload(_ effect: ReloadEffect, _ sentence: String) -> ConfigurationKey {
        var key = self
        (key.effect, key.sentence) = (effect, sentence)
        return key
    }

    /// The help of a command-line option for this key: the sentence with range and default.
    package var help: String {
        let range = bounds.isEmpty ? "" : "\(bounds), "
        return isRequired ? sentence : "\(sentence.dropLast()) (\(range)default \(standardText))."
    }
}

/// What the table does with a row, whatever the type of its values.
protocol ConfigurationRow: Sendable {
    var name: String { get }
    var isRequired: Bool { get }
    var effect: ReloadEffect { get }
    var sentence: String { get }
    /// The type of its values, for example `whole number`.
    var type: String { get }
    /// Their range, for example `1 to 64`; empty where every value of the type will do.
    var range: String { get }
    /// Their unit, for example `frames`; empty where there is none.
    var unit: String { get }
    /// The default, or the example of a required key, in YAML.
    var standardText: String { get }

    /// Stores the value of a node; says all that is wrong with it where it is of another kind or out of range.
    ///
    /// Relative paths are relative to `folder`.
    func store(_ node: YAMLNode, folder: String, in settings: inout ConfigurationSettings)
        -> [ConfigurationError]
    /// Says what is wrong where the key is missing or its value out of range.
    func mistake(in settings: ConfigurationSettings) -> ConfigurationError?
    /// Whether two settings have different values, defaults included.
    func differs(_ one: ConfigurationSettings, _ other: ConfigurationSettings) -> Bool
    /// Takes over what other settings say of this key, which may be nothing.
    func copy(from other: ConfigurationSettings, to settings: inout ConfigurationSettings)
}

extension ConfigurationRow {
    /// The section of the key, for example `batch`; `nil` for a key without one.
    var section: String? { name.firstIndex(of: ".").map { String(name[..<$0]) } }
    /// Range and unit, for example `1 to 64 frames`.
    var bounds: String { [range, unit].filter { !$0.isEmpty }.joined(separator: " ") }
}

extension ConfigurationKey: ConfigurationRow {
    var type: String { kind.type }
    var range: String { kind.range }
    var unit: String { kind.unit }
    var standardText: String { kind.write(standard) }

    func store(_ node: YAMLNode, folder: String, in settings: inout ConfigurationSettings)
        -> [ConfigurationError]
    {
        let problems = kind.problems(node, folder)
        guard problems.isEmpty else { return problems.map { ConfigurationError($0) } }
        guard let value = kind.read(node, folder), kind.allows(value) else { return [wrong(node.words)] }
        settings[self] = value
        return []
    }

    func mistake(in settings: ConfigurationSettings) -> ConfigurationError? {
        guard let value = settings[self] else { return isRequired ? missing : nil }
        return kind.allows(value) ? nil : wrong("\"\(kind.write(value))\"")
    }

    func differs(_ one: ConfigurationSettings, _ other: ConfigurationSettings) -> Bool {
        one[self] ?? standard != other[self] ?? standard
    }

    func copy(from other: ConfigurationSettings, to settings: inout ConfigurationSettings) {
        settings[self] = other[self]
    }

    private var missing: ConfigurationError {
        ConfigurationError(
            key: name,
            problem: "it is missing",
            remedy: "write \(kind.words), for example \(standardText)"
        )
    }

    private func wrong(_ value: String) -> ConfigurationError {
        ConfigurationError(
            key: name,
            problem: "\(value) cannot be its value",
            remedy: "write \(kind.words)" + (isRequired ? "" : ", or leave the key out for its default")
        )
    }
}

/// A type of values with range and unit: how YAML is read and written, and what documentation and messages call it.
package struct ValueKind<Value: Sendable>: Sendable {
    /// For example `whole number`.
    let type: String
    /// For example `1 to 64`; empty where every value of the type will do.
    var range = ""
    /// For example `frames`; empty where there is none.
    var unit = ""
    /// The values in a message, for example `a whole number from 1 to 64`.
    let words: String
    /// The value of a node, `nil` for one of another kind; relative paths are relative to the folder.
    let read: @Sendable (_ node: YAMLNode, _ folder: String) -> Value?
    let write: @Sendable (Value) -> String
    var allows: @Sendable (Value) -> Bool = { _ in true }
    /// What is wrong within a value that has keys of its own.
    var problems: @Sendable (_ node: YAMLNode, _ folder: String) -> [YAMLProblem] = { _, _ in [] }
}

extension ValueKind<Bool> {
    static var flag: ValueKind {
        ValueKind(
            type: "true or false",
            words: "true or false",
            read: { node, _ in node.bool },
            write: { "\($0)" }
        )
    }
}

extension ValueKind<Int> {
    static func count(_ range: ClosedRange<Int>, _ unit: String) -> ValueKind {
        let bounds = (range.lowerBound, range.upperBound)
        return ValueKind(
            type: "whole number",
            range: "\(bounds.0) to \(bounds.1)",
            unit: unit,
            words: "a whole number from \(bounds.0) to \(bounds.1)",
            read: { node, _ in node.int },
            write: { "\($0)" },
            allows: { range.contains($0) }
        )
    }
}

extension ValueKind<Double> {
    /// A part of a whole, for example `of the wells`.
    static func share(_ whole: String) -> ValueKind {
        ValueKind(
            type: "number",
            range: "0 to 1",
            unit: whole,
            words: "a number from 0 to 1",
            read: { node, _ in node.float },
            write: { "\($0)" },
            allows: { (0...1).contains($0) }
        )
    }
}

extension ValueKind<Duration> {
    static var time: ValueKind { time(.zero..., isOptional: true) }

    static func time(_ range: PartialRangeFrom<Duration>) -> ValueKind { time(range, isOptional: false) }

    /// A time in the range, or 0.
    static func timeOrNever(_ range: PartialRangeFrom<Duration>) -> ValueKind {
        time(range, isOptional: true)
    }

    private static func time(_ range: PartialRangeFrom<Duration>, isOptional: Bool) -> ValueKind {
        let shortest = range.lowerBound
        let bound = shortest > .zero ? "at least \(shortest.withUnit(after: " "))" : ""
        return ValueKind(
            type: "time in ms, s, m or h",
            range: bound + (isOptional && shortest > .zero ? ", or 0" : ""),
            words: "a time" + (bound.isEmpty ? "" : " of \(bound)")
                + " with its unit, for example 2s, 10m or 1h" + (isOptional ? ", or 0" : ", and not 0"),
            read: { node, _ in node.string.flatMap { Duration(withUnit: $0) } },
            write: { $0.withUnit() },
            allows: { isOptional && $0 == .zero || range.contains($0) }
        )
    }
}

extension ValueKind<String> {
    static var text: ValueKind {
        ValueKind(
            type: "text",
            words: "a text",
            read: { node, _ in node.string },
            write: { text in
                let isPlain = text.allSatisfy { $0.isLetter || $0.isNumber || "/._-".contains($0) }
                return isPlain ? text : "\"\(text)\""
            },
            allows: { !$0.isEmpty }
        )
    }

    static var path: ValueKind {
        ValueKind(
            type: "path",
            words: "a path",
            read: { node, folder in node.string.map { absolute($0, in: folder) } },
            write: text.write,
            allows: { !$0.isEmpty }
        )
    }

    static func choice(_ choices: [String]) -> ValueKind {
        let list = choices.joined(separator: ", ")
        return ValueKind(
            type: "choice",
            range: list,
            words: "one of \(list)",
            read: { node, _ in node.string },
            write: text.write,
            allows: { choices.contains($0) }
        )
    }

    fileprivate static func absolute(_ path: String, in folder: String) -> String {
        path.isEmpty || path.hasPrefix("/") ? path : "\(folder)/\(path)"
    }
}

extension ValueKind<[String]> {
    static var paths: ValueKind {
        let path = ValueKind<String>.path
        return ValueKind(
            type: "list of paths",
            range: "at least one",
            words: "a list of at least one path",
            read: { node, folder in
                guard let sequence = node.sequence else { return nil }
                let paths = sequence.compactMap { path.read($0, folder) }
                return paths.count == sequence.count ? paths : nil
            },
            write: { "[\($0.map(path.write).joined(separator: ", "))]" },
            allows: { !$0.isEmpty && $0.allSatisfy(path.allows) }
        )
    }
}

extension ValueKind where Value: RawRepresentable<String> & CaseIterable {
    static var choice: ValueKind {
        let choice = ValueKind<String>.choice(Value.allCases.map(\.rawValue))
        return ValueKind(
            type: choice.type,
            range: choice.range,
            words: choice.words,
            read: { node, _ in node.string.flatMap { Value(rawValue: $0) } },
            write: { $0.rawValue }
        )
    }
}

extension ValueKind {
    /// A list of some of the cases, each once; it may be empty.
    static func choices<Choice>() -> ValueKind
    where Value == [Choice], Choice: RawRepresentable<String> & CaseIterable & Hashable & Sendable {
        let list = Choice.allCases.map(\.rawValue).joined(separator: ", ")
        return ValueKind(
            type: "list of choices",
            range: list,
            words: "a list of some of \(list)",
            read: { node, _ in
                guard let sequence = node.sequence else { return nil }
                let values = sequence.compactMap { $0.string.flatMap { Choice(rawValue: $0) } }
                return values.count == sequence.count ? values : nil
            },
            write: { "[\($0.map(\.rawValue).joined(separator: ", "))]" },
            allows: { Set($0).count == $0.count }
        )
    }
}

/// The severity above which a frame is faulty, as a configuration gives it.
package enum SeverityThreshold: Sendable, Equatable {
    /// What the model was calibrated to.
    case calibrated
    /// A severity of the user's own.
    case severity(Double)

    /// The user's own severity, if there is one.
    package var severity: Double? {
        if case .severity(let value) = self { value } else { nil }
    }
}

extension ValueKind<SeverityThreshold> {
    static var threshold: ValueKind {
        ValueKind(
            type: "severity or `calibrated`",
            range: "at least 0",
            words: "`calibrated` or a severity of at least 0",
            read: { node, _ in
                node.string == "calibrated" ? .calibrated : node.float.map { .severity($0) }
            },
            write: { $0.severity.map { "\($0)" } ?? "calibrated" },
            allows: { $0.severity.map { $0.isFinite && $0 >= 0 } ?? true }
        )
    }
}

extension ValueKind<StallWatch.Limit> {
    static var stall: ValueKind {
        ValueKind(
            type: "time in ms, s, m or h, or `auto`",
            words: "`auto`, a time with its unit, for example 2s, 10m or 1h, or 0",
            read: { node, _ in
                if node.string == "auto" { return .automatic }
                return node.string.flatMap { Duration(withUnit: $0) }.map { $0 > .zero ? .after($0) : .never }
            },
            write: { limit in
                switch limit {
                case .never: "0"
                case .automatic: "auto"
                case .after(let time): time.withUnit()
                }
            }
        )
    }
}

extension ValueKind<PlaneChoice.Plane> {
    static var plane: ValueKind {
        ValueKind(
            type: "whole number, `auto` or `time`",
            range: "at least 1",
            words: "`auto`, `time` or a whole number from 1",
            read: { node, _ in node.string.flatMap { PlaneChoice.Plane($0) } },
            write: { $0.text }
        )
    }
}
