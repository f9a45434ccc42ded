internal import Yams

/// A value in a YAML file that knows its line.
///
/// What is asked for as another kind of value than it is answers `nil`, so that the reader can say what it expects.
package struct YAMLNode {
    private let node: Node

    /// Reads the text of a file; `nil` for one without any value.
    package static func parse(_ text: String) throws(YAMLProblem) -> YAMLNode? {
        do {
            return try Yams.compose(yaml: text).map(YAMLNode.init)
        } catch {
            throw YAMLProblem(error)
        }
    }

    private init(_ node: Node) { self.node = node }

    /// Line in the file, counted from 1.
    package var line: Int? { node.mark?.line }
    /// A text, or anything else that stands as one word.
    package var string: String? { node.string }
    /// `true` or `false`.
    package var bool: Bool? { node.bool }
    /// A whole number.
    package var int: Int? { node.int }
    /// A number.
    package var float: Double? { node.float }
    /// The items of a list.
    package var sequence: [YAMLNode]? { node.sequence?.map(YAMLNode.init) }
    /// Keys and their values, in the order of the file; no key is there twice.
    package var mapping: [(name: YAMLNode, value: YAMLNode)]? {
        node.mapping?.map { (name: YAMLNode($0.key), value: YAMLNode($0.value)) }
    }

    /// The value in a message's words.
    package var words: String {
        node.scalar.map { "\"\($0.string.prefix(80))\"" }
            ?? node.sequence.map { $0.isEmpty ? "an empty list" : "a list" } ?? "a group of keys"
    }
}

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

    /// An unknown key; `nearest` is the key that was probably meant, `nil` where none is like it.
    package static func unknownKey(_ key: String, line: Int?, nearest: String?) -> YAMLProblem {
        YAMLProblem(
            line: line,
            key: key,
            problem: "there is no such key",
            remedy: nearest.map { "the nearest known key is `\($0)`" }
                ?? "no known key is like it, so take it out"
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

/// The existing name that is closest to a misspelt one.
package enum NearestName {
    /// The known name that takes the fewest changes of letters to become; the first of several.
    ///
    /// `nil` where more than half of the letters would change. Names may have sections, `batch.frames`: the right word in the
    /// wrong section costs one change.
    package static func of(_ name: String, among known: [String]) -> String? {
        let lastWord = name.split(separator: ".").last.map(String.init) ?? name
        let distances = known.map { known in
            let knownWord = known.split(separator: ".").last.map(String.init) ?? known
            return min(editDistance(name, known), editDistance(lastWord, knownWord) + 1)
        }
        guard let (nearest, distance) = zip(known, distances).min(by: { $0.1 < $1.1 }) else { return nil }
        return distance <= max(lastWord.unicodeScalars.count / 2, 1) ? nearest : nil
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
}
