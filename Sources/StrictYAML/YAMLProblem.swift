internal import Yams

/// One mistake in a YAML file: where it is, what is wrong and what to do.
package struct YAMLProblem: Error, Sendable, Equatable {
    /// Line in the file, counted from 1.
    package let line: Int?
    /// The key with its sections, for example `batch.frames`; `nil` where it is about no key.
    package let key: String?
    /// What is wrong.
    package let problem: String
    /// What to do about it.
    package let remedy: String

    /// Describes a mistake.
    package init(line: Int?, key: String? = nil, problem: String, remedy: String) {
        self.line = line
        self.key = key
        self.problem = problem
        self.remedy = remedy
    }

    /// Something else stands where a group of keys is expected.
    package static func noKeys(_ node: YAMLNode, in section: String?) -> YAMLProblem {
        YAMLProblem(
            line: node.line,
            key: section,
            problem: "keys are expected here",
            remedy: "write `key: value` lines"
        )
    }

    /// A key that nobody knows; `nearest` is the one that was probably meant.
    package static func unknownKey(_ key: String, line: Int?, nearest: String) -> YAMLProblem {
        YAMLProblem(
            line: line,
            key: key,
            problem: "there is no such key",
            remedy: "the nearest known key is `\(nearest)`"
        )
    }

    /// The mistake in one line that begins with file and line.
    ///
    /// For example `plate.yaml:7: batch.frames: "0" cannot be its value; write a whole number from 1 to 64.`
    package func sentence(in file: String?) -> String {
        let place = file.map { $0 + (line.map { ":\($0)" } ?? "") + ": " } ?? ""
        return place + (key.map { "\($0): " } ?? "") + "\(problem); \(remedy)."
    }

    init(_ error: any Error) {
        self.init(
            line: (error as? YamlError).flatMap(Self.line(of:)),
            problem: "this is no YAML (\(Self.summary(of: error)))",
            remedy: "check indentation, colons and quotes"
        )
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
