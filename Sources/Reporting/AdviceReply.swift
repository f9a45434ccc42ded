import Foundation
package import Plate

/// What acquisition software writes to answer an advice: `{"state": "done", "by": "scope-1", "note": ""}`.
package struct AdviceReply: Decodable, Sendable {
    private let state: Advice.State
    private let by: String
    private let note: String?

    /// Longest reply, in bytes.
    package static let longest = 16 << 10

    /// What is wrong with a reply, in a sentence.
    package struct Mistake: Error, CustomStringConvertible {
        /// The sentence.
        package let description: String
    }

    /// Reads a reply that came at a moment; throws what is wrong with it.
    package static func answer(_ bytes: some Sequence<UInt8>, at time: Timestamp) throws(Mistake)
        -> Advice.Answer
    {
        let states: [Advice.State] = [.acknowledged, .done, .refused]
        guard let reply = try? JSONDecoder().decode(AdviceReply.self, from: Data(bytes)),
            states.contains(reply.state)
        else {
            let names = states.map(\.rawValue).joined(separator: ", ")
            throw Mistake(description: "send state (\(names)), by (your name) and note (may be missing)")
        }
        guard let by = PlainText.checked(reply.by), !by.isEmpty, by != Advice.Answer.daemon else {
            throw Mistake(
                description:
                    "`by` is the name of who answers: not empty, without control characters, and not \(Advice.Answer.daemon)"
            )
        }
        guard let note = PlainText.checked(reply.note, allowing: "\n\t") else {
            throw Mistake(
                description: "a note has no control characters but line breaks and tabs; remove them"
            )
        }
        return Advice.Answer(reply.state, by: by, note: note, at: time)
    }
}

/// Text that people give for tables and pages: no spreadsheet, browser or C string takes what cannot be shown.
package enum PlainText {
    /// A text without control characters, but for some; `nil` for any other, and empty for none.
    package static func checked(_ text: String?, allowing some: String = "") -> String? {
        let text = (text ?? "").replacing("\r\n", with: "\n")
        let isPlain = text.unicodeScalars.allSatisfy {
            $0.properties.generalCategory != .control || some.unicodeScalars.contains($0)
        }
        return isPlain ? text : nil
    }
}
