import Foundation
import Plate
import Reporting

/// What a receiver gets in one piece: an event, or a digest of several.
struct Message: Sendable, Equatable {
    /// The same for each attempt; a receiver may tell by it that it has the message already.
    let id: String
    /// For example `autoqc.onset`.
    let type: String
    /// When the event was found; of a digest, the last of its events.
    let time: Timestamp
    /// One line for people.
    let summary: String
    /// Who says so: machine and output folder.
    let source: String
    /// A JSON object: `Event.data`, or the `events` of a digest.
    let data: String
    /// The same for people, without the line above.
    let text: String

    /// A message of some deliveries, at least one.
    init(_ deliveries: [Delivery], id: String, source: String) {
        let last = deliveries.map(\.time).max() ?? Timestamp(nanoseconds: 0)
        if deliveries.count == 1, id == deliveries[0].event {
            let only = deliveries[0]
            self.init(
                id: id,
                kind: only.kind,
                time: only.time,
                summary: only.summary,
                source: source,
                data: only.data,
                text: Self.text(of: only.data)
            )
        } else {
            let kinds = Dictionary(grouping: deliveries, by: \.kind).mapValues(\.count)
                .sorted { $0.key < $1.key }.map { "\($0.value) \($0.key)" }.joined(separator: ", ")
            let summary = "\(deliveries.count) events: \(kinds)"
            let events = deliveries.map(\.data).joined(separator: ",")
            self.init(
                id: id,
                kind: "DIGEST",
                time: last,
                summary: summary,
                source: source,
                data:
                    "{\"id\":\"\(id)\",\"event\":\"DIGEST\",\"message\":\"\(summary)\",\"events\":[\(events)]}",
                text: deliveries.map { "\($0.time.iso8601)  \($0.summary)\n" }.joined()
            )
        }
    }

    /// A message that no event caused, to try the way.
    static func test(id: String, at time: Timestamp, source: String) -> Message {
        let summary = "This is a test of autoqc's notifications"
        return Message(
            id: id,
            kind: "TEST",
            time: time,
            summary: summary,
            source: source,
            data:
                "{\"id\":\"\(id)\",\"event\":\"TEST\",\"message\":\"\(summary)\",\"time\":\"\(time.iso8601)\"}",
            text: "Nothing has happened. Somebody ran `autoqc notify --test`.\n"
        )
    }

    private init(
        id: String,
        kind: String,
        time: Timestamp,
        summary: String,
        source: String,
        data: String,
        text: String
    ) {
        self.id = id
        type = "autoqc." + kind.lowercased().replacing("-", with: "_")
        (self.time, self.summary, self.source, self.data, self.text) = (time, summary, source, data, text)
    }

    /// The payload of Standard Webhooks, and of all other ways but mail: one line of JSON.
    var json: String {
        "{\"type\":\"\(type)\",\"timestamp\":\"\(time.iso8601)\",\"source\":\(Self.quoted(source)),\"data\":\(data)}"
    }

    /// A text as JSON.
    private static func quoted(_ text: String) -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = .withoutEscapingSlashes
        // A text can always be encoded.
        return (try? encoder.encode(text)).map { String(decoding: $0, as: UTF8.self) } ?? "\"\""
    }

    /// Keys that a person reads first; the others follow by their names.
    private static let order = [
        "advice", "time", "event", "run", "well", "frame", "cause", "severity", "threshold",
    ]

    /// The keys of an event, a line each.
    private static func text(of data: String) -> String {
        guard let object = try? JSONSerialization.jsonObject(with: Data(data.utf8)) as? [String: Any] else {
            return ""
        }
        let keys =
            order.filter { object[$0] != nil }
            + object.keys.filter { !order.contains($0) && $0 != "message" }.sorted()
        return keys.map { key in
            let value = object[key].map { "\($0)" } ?? ""
            // No value begins another line.
            return "\(key): \(printableName(value))\n"
        }.joined()
    }
}
