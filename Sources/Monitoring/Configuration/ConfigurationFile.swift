import StrictYAML

/// Reads the YAML of a configuration file; every key it does not know is an error.
enum ConfigurationFile {
    /// Reads the text; relative paths in it are relative to `folder`.
    static func settings(
        yaml: String,
        folder: String
    ) throws(ConfigurationError) -> ConfigurationSettings {
        var settings = ConfigurationSettings()
        guard let root = try compose(yaml) else { return settings }
        try read(root, section: "", folder: folder, into: &settings)
        return settings
    }

    private static func compose(_ yaml: String) throws(ConfigurationError) -> YAMLNode? {
        do throws(YAMLProblem) {
            return try YAMLNode.parse(yaml)
        } catch {
            throw ConfigurationError(line: error.line, problem: error.problem, remedy: error.remedy)
        }
    }

    private static func read(
        _ node: YAMLNode,
        section: String,
        folder: String,
        into settings: inout ConfigurationSettings
    ) throws(ConfigurationError) {
        guard let mapping = node.mapping else {
            throw ConfigurationError(
                line: node.line,
                key: section.isEmpty ? nil : section,
                problem: "keys are expected here",
                remedy: "write `key: value` lines"
            )
        }
        for (nameNode, value) in mapping {
            let name = (section.isEmpty ? "" : section + ".") + (nameNode.string ?? "?")
            let line = nameNode.line
            if ConfigurationKey.sections.contains(name) {
                try read(value, section: name, folder: folder, into: &settings)
            } else if let key = ConfigurationKey.all.first(where: { $0.name == name }) {
                guard key.store(value, folder, &settings) else {
                    throw ConfigurationError(
                        line: line,
                        key: name,
                        problem: "\(value.words) cannot be its value",
                        remedy: "write \(key.kind), or leave the key out for its default"
                    )
                }
            } else {
                throw unknown(name, line: line)
            }
        }
    }

    private static func unknown(_ name: String, line: Int?) -> ConfigurationError {
        let names = ConfigurationKey.all.map(\.name) + ConfigurationKey.sections.sorted()
        return ConfigurationError(
            line: line,
            key: name,
            problem: "there is no such key",
            remedy: "the nearest known key is `\(NearestName.of(name, among: names) ?? "model")`"
        )
    }
}
