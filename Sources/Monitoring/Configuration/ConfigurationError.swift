/// A configuration that cannot be used: which file and key, what is wrong, and what to do.
public struct ConfigurationError: Error, Sendable, Equatable, CustomStringConvertible {
    /// The configuration file; `nil` where the value came from the command line.
    public let path: String?
    /// Line in the file, counted from 1.
    public let line: Int?
    /// The key with its sections, for example `batch.frames`; `nil` for a file that is no YAML.
    public let key: String?
    /// What is wrong.
    public let problem: String
    /// What to do about it.
    public let remedy: String

    /// Describes a problem; the full stop of an error that is a sentence already is dropped.
    public init(path: String? = nil, line: Int? = nil, key: String? = nil, problem: String, remedy: String) {
        self.path = path
        self.line = line
        self.key = key
        self.problem = problem.hasSuffix(".") ? String(problem.dropLast()) : problem
        self.remedy = remedy
    }

    /// One line, for example `plate.yaml:7: batch.frames: 0 is not in 1...64; write a number in it.`.
    public var description: String {
        let place = path.map { $0 + (line.map { ":\($0)" } ?? "") + ": " } ?? ""
        return place + (key.map { "\($0): " } ?? "") + "\(problem); \(remedy)."
    }

    /// The same problem with the file it is in.
    func located(in file: String?) -> ConfigurationError {
        ConfigurationError(path: path ?? file, line: line, key: key, problem: problem, remedy: remedy)
    }
}
