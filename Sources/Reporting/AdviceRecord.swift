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
