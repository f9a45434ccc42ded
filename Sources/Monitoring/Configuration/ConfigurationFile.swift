import StrictYAML

/// What the YAML of a configuration file says, and every mistake in it; a key that is not known is one.
struct ConfigurationFile {
    /// What it says, but for the mistakes.
    private(set) var settings = ConfigurationSettings()
    /// What is wrong, in the order of the file.
    private(set) var mistakes: [ConfigurationError] = []
    private var lines: [String: Int] = [:]
    private var attempted: Set<String> = []

    /// Reads the text; relative paths in it are relative to `folder`.
    init(yaml: String, folder: String) {
        do throws(YAMLProblem) {
            guard let root = try YAMLNode.parse(yaml) else { return }
            read(root, section: nil, folder: folder)
        } catch {
            note(error)
            // Nothing in it can be read: that no key is there says nothing.
            attempted.formUnion(ConfigurationKey.all.map(\.name))
        }
    }

    /// What does not go together in the settings, with the lines; without what follows from a mistake in the file.
    func located(_ contradictions: [ConfigurationError]) -> [ConfigurationError] {
        contradictions.filter { !attempted.contains($0.key ?? "") }.map { error in
            ConfigurationError(
                line: error.key.flatMap { lines[$0] },
                key: error.key,
                problem: error.problem,
                remedy: error.remedy
            )
        }
    }

    private mutating func read(_ node: YAMLNode, section: String?, folder: String) {
        guard let mapping = node.mapping else { return note(.noKeys(node, in: section)) }
        for (nameNode, value) in mapping {
            let name = (section.map { $0 + "." } ?? "") + (nameNode.string ?? "?")
            if ConfigurationKey.sections.contains(name) {
                read(value, section: name, folder: folder)
            } else if let key = ConfigurationKey.all.first(where: { $0.name == name }) {
                lines[name] = nameNode.line
                if !key.store(value, folder, &settings) { note(wrong: value, of: key, line: nameNode.line) }
            } else {
                note(unknown: name, line: nameNode.line)
            }
        }
    }

    private mutating func note(wrong value: YAMLNode, of key: ConfigurationKey, line: Int?) {
        attempted.insert(key.name)
        note(
            YAMLProblem(
                line: line,
                key: key.name,
                problem: "\(value.words) cannot be its value",
                remedy: "write \(key.kind), or leave the key out for its default"
            )
        )
    }

    private mutating func note(unknown name: String, line: Int?) {
        let known = ConfigurationKey.all.map(\.name) + ConfigurationKey.sections.sorted()
        let nearest = NearestName.of(name, among: known) ?? "model"
        attempted.insert(nearest)
        note(.unknownKey(name, line: line, nearest: nearest))
    }

    private mutating func note(_ problem: YAMLProblem) {
        mistakes.append(
            ConfigurationError(
                line: problem.line,
                key: problem.key,
                problem: problem.problem,
                remedy: problem.remedy
            )
        )
    }
}
