import Foundation
import StrictYAML

/// What a file or the command line says: the keys that it names, with their values.
///
/// `settings.batchFrames` is the value given for `batch.frames`, `nil` where nothing is said; the names are those of
/// `ConfigurationTable`.
@dynamicMemberLookup
package struct ConfigurationSettings: Sendable {
    private var given: [String: any Sendable] = [:]

    /// Says nothing.
    package init() {}

    /// The value given for a key.
    package subscript<Value>(
        dynamicMember key: KeyPath<ConfigurationTable, ConfigurationKey<Value>>
    ) -> Value? {
        get { self[Configuration.table[keyPath: key]] }
        set { self[Configuration.table[keyPath: key]] = newValue }
    }

    subscript<Value>(key: ConfigurationKey<Value>) -> Value? {
        get { given[key.name] as? Value }
        set { given[key.name] = newValue }
    }

    /// The value given for a key, or its default.
    func value<Value>(_ key: KeyPath<ConfigurationTable, ConfigurationKey<Value>>) -> Value {
        self[dynamicMember: key] ?? Configuration.table[keyPath: key].standard
    }

    func has(_ name: String) -> Bool { given[name] != nil }

    /// These settings where they say something, otherwise the others.
    package func over(_ other: ConfigurationSettings) -> ConfigurationSettings {
        var merged = other
        merged.given.merge(given) { $1 }
        return merged
    }
}

/// What a configuration file says, and every mistake in it.
struct ConfigurationFile {
    /// What it says, without its mistakes.
    private(set) var settings = ConfigurationSettings()
    /// What is wrong with it, in the order of the file.
    private(set) var mistakes: [ConfigurationError] = []
    private let path: String?
    private let folder: String
    private var lines: [String: Int] = [:]
    /// The keys whose value was not understood, and those that a misspelt name probably meant.
    private var misread: Set<String> = []

    /// Reads a file, with relative paths relative to its folder; `nil` is a file that says nothing.
    init(path: String?) {
        self.path = path
        folder = URL(filePath: path ?? "").deletingLastPathComponent().path
        guard let path else { return }
        do throws(YAMLProblem) {
            guard let root = try Self.parse(path) else { return }
            read(root, section: nil)
        } catch {
            note(ConfigurationError(error))
            // Nothing in it was read, so no key can be called missing.
            misread.formUnion(Configuration.table.rows.map(\.name))
        }
    }

    /// A mistake in this file and the command line together, with the line of its key; `nil` where it only follows from
    /// a mistake in the file.
    func located(_ mistake: ConfigurationError, overrides: ConfigurationSettings) -> ConfigurationError? {
        let key = mistake.key ?? ""
        guard !overrides.has(key) else { return mistake }
        return misread.contains(key) && !settings.has(key) ? nil : mistake.located(in: path, line: lines[key])
    }

    private static func parse(_ path: String) throws(YAMLProblem) -> YAMLNode? {
        let text: String
        do {
            text = try String(contentsOfFile: path, encoding: .utf8)
        } catch {
            throw YAMLProblem(
                line: nil,
                problem: "the file cannot be read (\(error.localizedDescription))",
                remedy: "check that it is there, readable, and UTF-8"
            )
        }
        return try YAMLNode.parse(text)
    }

    private mutating func read(_ node: YAMLNode, section: String?) {
        let table = Configuration.table
        guard let mapping = node.mapping else {
            return note(ConfigurationError(.noKeys(node, in: section)))
        }
        for (nameNode, value) in mapping {
            let name = (section.map { $0 + "." } ?? "") + (nameNode.string ?? "?")
            if table.sections.contains(name) {
                read(value, section: name)
            } else if let row = table.rows.first(where: { $0.name == name }) {
                lines[name] = nameNode.line
                let mistakes = row.store(value, folder: folder, in: &settings)
                if !mistakes.isEmpty { misread.insert(name) }
                for mistake in mistakes { note(mistake, line: mistake.line ?? nameNode.line) }
            } else {
                note(unknown: name, line: nameNode.line)
            }
        }
    }

    private mutating func note(unknown name: String, line: Int?) {
        let table = Configuration.table
        let nearest = NearestName.of(name, among: table.rows.map(\.name) + table.sections.sorted())
        if let nearest { misread.insert(nearest) }
        note(ConfigurationError(.unknownKey(name, line: line, nearest: nearest)))
    }

    private mutating func note(_ mistake: ConfigurationError, line: Int? = nil) {
        mistakes.append(mistake.located(in: path, line: line))
    }
}

/// A configuration that cannot be used: which file and key, what is wrong, and what to do.
package struct ConfigurationError: Error, Sendable, Equatable, CustomStringConvertible {
    /// The configuration file; `nil` where the value came from the command line.
    package private(set) var path: String?
    /// Line in the file, counted from 1.
    package private(set) var line: Int?
    /// The key with its section, for example `batch.frames`; `nil` for a file that is no YAML.
    package let key: String?
    /// What is wrong.
    package let problem: String
    /// What to do about it.
    package let remedy: String
    /// What else is wrong, if this is the first of several mistakes.
    package private(set) var others: [ConfigurationError] = []

    /// Describes a problem; the full stop of an error that is a sentence already is dropped.
    package init(key: String? = nil, problem: String, remedy: String) {
        self.key = key
        self.problem = problem.hasSuffix(".") ? String(problem.dropLast()) : problem
        self.remedy = remedy
    }

    init(_ problem: YAMLProblem) {
        self.init(key: problem.key, problem: problem.problem, remedy: problem.remedy)
        line = problem.line
    }

    /// A line for each mistake, for example `plate.yaml:7: batch.frames: "0" cannot be its value; write ...`.
    package var description: String {
        let problem = YAMLProblem(line: line, key: key, problem: problem, remedy: remedy)
        return ([problem.sentence(in: path)] + others.map(\.description)).joined(separator: "\n")
    }

    /// The same problem with its place in a file.
    func located(in file: String?, line: Int?) -> ConfigurationError {
        var error = self
        error.path = file
        error.line = line ?? self.line
        return error
    }

    /// Throws all mistakes as one error; nothing where there are none.
    static func refuse(_ mistakes: [ConfigurationError]) throws(ConfigurationError) {
        guard var first = mistakes.first else { return }
        first.others = Array(mistakes.dropFirst())
        throw first
    }
}
