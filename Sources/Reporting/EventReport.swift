import Digests
import Foundation
package import Plate
package import Rules

extension Event {
    /// What people are told of an alarm; `nil` for `fault` and `unreadable`, which change no state.
    package init?(_ alarm: Alarm) {
        guard let kind = Kind(alarm.event) else { return nil }
        let isOfPlate = kind == .plate || kind == .plateClear
        let frame = alarm.frame
        var data = EventData(kind, alarm.time, JournalReporter.message(alarm))
        data.run = frame.run
        if !isOfPlate {
            data.well = frame.well.description
            (data.field, data.channel, data.plane) = (frame.view.field, frame.view.channel, frame.view.plane)
        }
        data.frame = frame.index
        data.add(alarm.judgement)
        (data.first_faulty, data.last_good) = (alarm.beginning?.firstFaulty, alarm.beginning?.lastGood)
        (data.pattern, data.reason, data.model) = (alarm.pattern, alarm.reason, alarm.model)
        data.advice = Self.advice(on: kind, alarm.judgement)
        self.init(
            kind,
            [frame.description, alarm.pattern ?? "", alarm.reason ?? "", alarm.model],
            data,
            at: alarm.time,
            run: frame.run,
            well: isOfPlate ? nil : frame.well,
            view: isOfPlate ? nil : frame.view
        )
    }

    /// What people are told of the detector's test of itself; `nil` for a round, which changes no state.
    package init?(_ event: CanaryEvent) {
        let (kind, transition): (Kind, CanaryEvent.Transition)
        switch event {
        case .round: return nil
        case .alarm(let found): (kind, transition) = (.canary, found)
        case .clear(let found): (kind, transition) = (.canaryClear, found)
        }
        var data = EventData(kind, transition.time, event.sentence)
        (data.reason, data.model) = (transition.reason, transition.model)
        self.init(kind, [transition.time.iso8601, transition.model], data, at: transition.time)
    }

    /// What people are told of a run or the daemon; `identity` tells it from others of its kind.
    package init(
        _ kind: Kind,
        at time: Timestamp,
        run: String? = nil,
        reason: String,
        identity: String
    ) {
        var data = EventData(kind, time, Self.message(kind, run, Logfmt.unquoted(reason)))
        (data.run, data.reason, data.advice) = (run, reason, Self.advice(on: kind, nil))
        self.init(kind, [run ?? "", identity], data, at: time, run: run)
    }

    /// What people are told of an advice that is given; `nil` for one on wells, whose alarms say it.
    package init?(_ advice: Advice) {
        guard let kind = Kind(advised: advice.action) else { return nil }
        self.init(kind, at: advice.since, run: advice.run, reason: advice.reason, identity: advice.id)
    }

    /// What people are told when an advice is over.
    package init?(endOf advice: Advice, because reason: String, at time: Timestamp) {
        guard let kind = Kind(advised: advice.action) else { return nil }
        let end: Kind = kind == .pauseAdvised ? .pauseClear : .stopClear
        self.init(end, at: time, run: advice.run, reason: reason, identity: advice.id)
    }

    private init(
        _ kind: Kind,
        _ identity: [String],
        _ data: EventData,
        at time: Timestamp,
        run: String? = nil,
        well: Well? = nil,
        view: FrameView? = nil
    ) {
        // With their lengths, so that no name reads like two of them.
        let parts = ([kind.rawValue] + identity).map { "\($0.utf8.count):\($0)" }.joined()
        let id = "evt_" + Digest.sha256(Data(parts.utf8)).prefix(32)
        var data = data
        data.id = id
        self.init(
            id: id,
            time: time,
            kind: kind,
            run: run,
            well: well,
            view: view,
            message: data.message,
            data: data.json
        )
    }

    private static func message(_ kind: Kind, _ run: String?, _ reason: String) -> String {
        let run = "Run \(Logfmt.value(run ?? ""))"
        return switch kind {
        case .pauseAdvised: "\(run) had better be paused: \(reason)"
        case .pauseClear: "\(run) need not be paused any more: \(reason)"
        case .stopAdvised: "\(run) had better be stopped: \(reason)"
        case .stopClear: "\(run) need not be stopped any more: \(reason)"
        case .behind: "Judging is behind: \(reason)"
        case .behindClear: "Judging keeps up again: \(reason)"
        case .diskLow: "Little room is left for results: \(reason)"
        case .diskClear: "There is room for results again: \(reason)"
        case .failed: "The daemon ended: \(reason)"
        case .failedClear: "The daemon runs again: \(reason)"
        default: reason
        }
    }

    private static func advice(on kind: Kind, _ judgement: Judgement?) -> String? {
        switch kind {
        case .onset: judgement?.cause.cause.advice ?? "look at the frame and its mask"
        case .shift: "look at the focus, and whether somebody moved the plate"
        case .drift: "look at focus, lamp and evaporation before frames are lost"
        case .stalled: "look at the microscope, its disk, the share, and the file names"
        case .pauseAdvised: "look at the lamp, its shutter and the camera, and let the run go on"
        case .stopAdvised: "look at the plate, and stop the run if it cannot be saved"
        case .behind:
            "nothing during the run: no frame is lost; if it lasts, more cores or fewer other programs"
        case .diskLow: "free some space on the file system of the output"
        case .failed: "look at the daemon's log (journalctl -t autoqc)"
        case .clear, .plate, .plateClear, .pauseClear, .stopClear, .canary, .canaryClear, .behindClear,
            .diskClear,
            .failedClear:
            nil
        }
    }
}

extension Event.Kind {
    /// What is told of an advice on a whole run.
    fileprivate init?(advised action: Advice.Action) {
        switch action {
        case .pause: self = .pauseAdvised
        case .stop: self = .stopAdvised
        case .refocus, .skipWell: return nil
        }
    }

    /// The same change in the words of an alarm log; `nil` for what is no change of state.
    fileprivate init?(_ event: Alarm.Event) {
        switch event {
        case .onset: self = .onset
        case .clear: self = .clear
        case .shift: self = .shift
        case .drift: self = .drift
        case .plate: self = .plate
        case .plateClear: self = .plateClear
        case .stalled: self = .stalled
        case .fault, .unreadable: return nil
        }
    }
}

/// What `Event.data` holds: the keys of an alarm line, with `id`, `message` and `advice`; what is not known is left out.
private struct EventData: Encodable {
    var id = ""
    let event: String
    let time: String
    let message: String
    var advice: String?
    var run: String?
    var well: String?
    var field: Int?
    var channel: String?
    var plane: Int?
    var frame: Int?
    var severity: Double?
    var threshold: Double?
    var cause: String?
    var confidence: Double?
    var term: String?
    var area: Double?
    var mask: String?
    var first_faulty: Int?
    var last_good: Int?
    var pattern: String?
    var reason: String?
    var model: String?

    init(_ kind: Event.Kind, _ time: Timestamp, _ message: String) {
        (event, self.time, self.message) = (kind.rawValue, time.iso8601, message)
    }

    mutating func add(_ judgement: Judgement?) {
        guard let judgement else { return }
        severity = Self.figure(judgement.severity)
        threshold = Self.figure(judgement.threshold)
        cause = judgement.cause.cause.rawValue
        confidence = judgement.confidence.flatMap(Self.figure)
        (term, area, mask) = (judgement.term, Self.figure(judgement.area), judgement.maskPath)
    }

    /// JSON knows no infinity.
    private static func figure(_ value: Double) -> Double? {
        value.isFinite ? value.roundedToFourDigits : nil
    }

    var json: String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        // Texts, whole numbers and finite ones: nothing that JSON cannot say.
        return (try? encoder.encode(self)).map { String(decoding: $0, as: UTF8.self) } ?? "{}"
    }
}
