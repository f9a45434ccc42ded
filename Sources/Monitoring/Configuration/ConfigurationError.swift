import StrictYAML

/// A configuration that cannot be used: which file and key, what is wrong, and what to do.
package struct ConfigurationError: Error, Sendable, Equatable, CustomStringConvertible {
    /// The configuration file; `nil` where the value came from the command line.
    package let path: String?
    /// Line in the file, counted from 1.
    package let line: Int?
    /// The key with its sections, for example `batch.frames`; `nil` for a file that is no YAML.
    package let key: String?
    /// What is wrong.
    package let problem: String
    /// What to do about it.
    package let remedy: String
    /// What else is wrong, if this is the first of several mistakes.
    package private(set) var others: [ConfigurationError] = []

    /// Describes a problem; the full stop of an error that is a sentence already is dropped.
    package init(path: String? = nil, line: Int? = nil, key: String? = nil, problem: String, remedy: String) {
        self.path = path
        self.line = line
        self.key = key
        self.problem = problem.hasSuffix(".") ? String(problem.dropLast()) : problem
        self.remedy = remedy
    }

    /// A line for each mistake, for example `plate.yaml:7: batch.frames: "0" cannot be its value; write ...`.
    package var description: String {
        let problem = YAMLProblem(line: line, key: key, problem: problem, remedy: remedy)
        return ([problem.sentence(in: path)] + others.map(\.description)).joined(separator: "\n")
    }

    /// The same problem with the file it is in.
    func located(in file: String?) -> ConfigurationError {
        var error = ConfigurationError(
            path: path ?? file,
            line: line,
            key: key,
            problem: problem,
            remedy: remedy
        )
        error.others = others.map { $0.located(in: file) }
        return error
    }

    /// Throws all mistakes as one error; nothing where there are none.
    static func refuse(_ mistakes: [ConfigurationError]) throws(ConfigurationError) {
        guard var first = mistakes.first else { return }
        first.others = Array(mistakes.dropFirst())
        throw first
    }
}
