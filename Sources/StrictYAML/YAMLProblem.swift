internal import Yams

/// Why a text is no YAML.
public struct YAMLProblem: Error, Sendable {
    /// Line in the file, counted from 1.
    public let line: Int?
    /// What is wrong.
    public let problem: String
    /// What to do about it.
    public let remedy = "check indentation, colons and quotes"

    init(_ error: any Error) {
        line = (error as? YamlError).flatMap(Self.line(of:))
        problem = "this is no YAML (\(Self.summary(of: error)))"
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
