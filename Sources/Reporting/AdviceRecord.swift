package import Files
import Foundation
package import Plate

/// An advice as programs read it: in its file and from the page.
///
/// `useq` says the same in the terms of useq-schema, an `MDAEvent` for each well or one for the run. Times are UTC with
/// milliseconds.
package struct AdviceRecord: Encodable, Sendable {
    private struct Event: Encodable {
        let pos_name: String?
        let action: Action
        let metadata: [String: [String: String]]
    }

    private enum Action: Encodable {
        case autofocus
        case custom(name: String)

        private enum Key: String, CodingKey { case type, name }

        func encode(to encoder: any Encoder) throws {
            var values = encoder.container(keyedBy: Key.self)
            switch self {
            case .autofocus: try values.encode("hardware_autofocus", forKey: .type)
            case .custom(let name):
                try values.encode("custom", forKey: .type)
                try values.encode(name, forKey: .name)
            }
        }
    }

    private let id: String
    private let run: String
    private let action: Advice.Action
    private let wells: [String]
    private let reason: String
    private let since: String
    private let state: Advice.State
    private let by: String
    private let at: String
    private let note: String
    private let useq: [Event]

    /// Writes down an advice; name, time and note are empty where nobody has answered.
    package init(_ advice: Advice) {
        (id, run, action, reason, state) = (advice.id, advice.run, advice.action, advice.reason, advice.state)
        (wells, since) = (advice.wells.map(\.description), advice.since.iso8601)
        by = advice.answer?.by ?? ""
        at = advice.answer?.at.iso8601 ?? ""
        note = advice.answer?.note ?? ""
        let metadata = ["autoqc": ["advice": advice.id, "action": advice.action.rawValue]]
        switch advice.action {
        case .refocus:
            useq = wells.map { Event(pos_name: $0, action: .autofocus, metadata: metadata) }
        case .skipWell:
            useq = wells.map {
                Event(pos_name: $0, action: .custom(name: advice.action.rawValue), metadata: metadata)
            }
        case .pause, .stop:
            let action = Action.custom(name: advice.action.rawValue)
            useq = [Event(pos_name: nil, action: action, metadata: metadata)]
        }
    }

    /// Writes the file of an advice, durable when this returns.
    package static func write(_ advice: Advice, to tree: OutputTree) throws(OutputError) {
        try tree.makeAdviceFolder(run: advice.run)
        try Durable.replace(tree.advice(run: advice.run, id: advice.id), with: bytes(advice))
    }

    /// Whether the file of an advice is there and says something else.
    package static func isBehind(_ advice: Advice, in tree: OutputTree) -> Bool {
        FileManager.default.contents(atPath: tree.advice(run: advice.run, id: advice.id)).map {
            $0 != bytes(advice)
        } ?? false
    }

    private static func bytes(_ advice: Advice) -> Data {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.withoutEscapingSlashes, .sortedKeys, .prettyPrinted]
        // Texts and lists of texts: nothing that JSON cannot say.
        return ((try? encoder.encode(AdviceRecord(advice))) ?? Data()) + Data("\n".utf8)
    }
}

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
