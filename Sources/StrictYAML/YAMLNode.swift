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
