import Yams

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

    private static func compose(_ yaml: String) throws(ConfigurationError) -> Node? {
        do {
            return try Yams.compose(yaml: yaml)
        } catch {
            let line = (error as? YamlError).flatMap(line(of:))
            throw ConfigurationError(
                line: line,
                problem: "this is no YAML (\(summary(of: error)))",
                remedy: "check indentation, colons and quotes"
            )
        }
    }

    private static func read(
        _ node: Node,
        section: String,
        folder: String,
        into settings: inout ConfigurationSettings
    ) throws(ConfigurationError) {
        guard let mapping = node.mapping else {
            throw ConfigurationError(
                line: node.mark?.line,
                key: section.isEmpty ? nil : section,
                problem: "keys are expected here",
                remedy: "write `key: value` lines"
            )
        }
        for (nameNode, value) in mapping {
            let name = (section.isEmpty ? "" : section + ".") + (nameNode.string ?? "?")
            let line = nameNode.mark?.line
            if ConfigurationKey.sections.contains(name) {
                try read(value, section: name, folder: folder, into: &settings)
            } else if let key = ConfigurationKey.all.first(where: { $0.name == name }) {
                guard key.store(value, folder, &settings) else {
                    throw ConfigurationError(
                        line: line,
                        key: name,
                        problem: "\(text(of: value)) is not \(key.kind)",
                        remedy: "write \(key.kind), or leave the key out for its default"
                    )
                }
            } else {
                throw unknown(name, line: line)
            }
        }
    }

    private static func unknown(_ name: String, line: Int?) -> ConfigurationError {
        let nearest = nearestKey(to: name)
        return ConfigurationError(
            line: line,
            key: name,
            problem: "there is no such key",
            remedy: "the nearest known key is `\(nearest)`"
        )
    }

    /// The known key, or section, that takes the fewest changes of letters to become.
    static func nearestKey(to name: String) -> String {
        let names = ConfigurationKey.all.map(\.name) + ConfigurationKey.sections.sorted()
        let lastWord = name.split(separator: ".").last.map(String.init) ?? name
        let distances = names.map { known in
            let knownWord = known.split(separator: ".").last.map(String.init) ?? known
            // A key in the wrong section costs one change.
            return min(editDistance(name, known), editDistance(lastWord, knownWord) + 1)
        }
        return zip(names, distances).min { $0.1 < $1.1 }?.0 ?? "model"
    }

    /// Insertions, deletions and replacements from one text to the other.
    static func editDistance(_ left: String, _ right: String) -> Int {
        let right = Array(right.unicodeScalars)
        var previous = Array(0...right.count)
        for (row, scalar) in left.unicodeScalars.prefix(200).enumerated() {
            var current = [row + 1]
            for (column, other) in right.enumerated() {
                current.append(
                    min(
                        previous[column + 1] + 1,
                        current[column] + 1,
                        previous[column] + (scalar == other ? 0 : 1)
                    )
                )
            }
            previous = current
        }
        return previous.last ?? 0
    }

    private static func text(of node: Node) -> String {
        node.scalar.map { "\"\($0.string.prefix(80))\"" }
            ?? (node.sequence != nil ? "a list" : "a group of keys")
    }

    private static func line(of error: YamlError) -> Int? {
        switch error {
        case .scanner(_, _, let mark, _), .parser(_, _, let mark, _), .composer(_, _, let mark, _): mark.line
        default: nil
        }
    }

    private static func summary(of error: any Error) -> String {
        switch error as? YamlError {
        case .scanner(_, let problem, _, _), .parser(_, let problem, _, _), .composer(_, let problem, _, _):
            problem
        case .duplicatedKeysInMapping(let duplicates, _):
            "the key \(duplicates.map { "\($0)" }.joined(separator: ", ")) is there twice"
        default: "\(error)"
        }
    }
}
