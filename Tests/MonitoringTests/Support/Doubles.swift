import Acquisition
import Foundation
import Frames
import Plate
import Reporting
import Synchronization

@testable import Monitoring

/// A judge that finds frames faulty whose first pixel is above 100, and fails on those above 900.
final class FakeJudge: FrameJudge {
    struct Failure: Error {}

    let model: String
    /// Whether the severity has a term, so that weak faults can be told over time.
    private let hasTerm: Bool
    /// Called with a frame's first pixel before it is judged.
    private let before: @Sendable (Float) -> Void

    init(
        model: String = "3f9ac2d41b7e",
        hasTerm: Bool = false,
        before: @escaping @Sendable (Float) -> Void = { _ in }
    ) {
        (self.model, self.hasTerm, self.before) = (model, hasTerm, before)
    }

    func judge(_ frame: Frame, threshold: Double?, patches: PatchSelection) throws -> Judgement {
        before(frame[0, 0])
        let grey = Double(frame[0, 0])
        guard grey <= 900 else { throw Failure() }
        let isFaulty = grey > 100
        let values = (0..<frame.height * frame.width).map { UInt8(isFaulty && $0 < 3 ? 1 : 0) }
        return Judgement(
            severity: grey / 50,
            threshold: threshold ?? 2,
            terms: hasTerm ? [SeverityContribution(term: "level", value: grey - 10)] : [],
            scores: ImageScores(maximum: grey / 100, mean: grey / 400, patch: grey / 200),
            score: grey / 200,
            cause: .unknown,
            appearance: [Float(grey / 400)],
            pictures: Judgement.Pictures(
                mask: Mask(height: frame.height, width: frame.width, values: values),
                map: ScoreMap(
                    height: frame.height,
                    width: frame.width,
                    values: frame.pixels.map { $0 / 1000 }
                )
            )
        )
    }
}

/// A judge that gives way to another one when its run has taught enough.
final class TaughtJudge: FrameJudge {
    let hasLearnt = Mutex(false)
    private let first = FakeJudge()

    var model: String { first.model }
    func judge(_ frame: Frame, threshold: Double?, patches: PatchSelection) throws -> Judgement {
        try first.judge(frame, threshold: threshold, patches: patches)
    }
    func judging(_ well: Well, of run: String) -> any FrameJudge {
        hasLearnt.withLock { $0 } ? FakeJudge(model: "aaaaaaaaaaaa") : first
    }
}

/// Reads text files with a grey value a line, each a frame of 4 x 4; `cut` may get better, `bad` does not.
struct FakeReader: FrameReading {
    struct Pages: OpenFrames {
        let lines: [String]
        var frames: [TimePoint] { lines.indices.map { TimePoint(page: $0, time: $0) } }
        var isIncomplete: Bool { false }
        var note: String? { nil }
        var pixelSize: PixelSize? { nil }

        func hasPage(_ page: Int) -> Bool { lines.indices.contains(page) }
        func presence(isFinished: Bool) -> FramePresence { FramePresence(there: frames) }
        func storedDigest(page: Int) -> UInt64? { Float(lines[page]).map { UInt64($0.bitPattern) } }

        func frame(page: Int) throws(FrameReadError) -> Frame {
            guard let grey = Float(lines[page]) else {
                throw FrameReadError(
                    kind: lines[page] == "cut" ? .unfinished : .unreadable,
                    reason: "page \(page) is \(lines[page])"
                )
            }
            return Frame(height: 4, width: 4, pixels: [Float](repeating: grey, count: 16))
        }
    }

    func open(_ path: String) throws(FrameReadError) -> any OpenFrames {
        guard let text = try? String(contentsOfFile: path, encoding: .utf8) else {
            throw FrameReadError(kind: .unseen, reason: "it is not there")
        }
        return Pages(lines: text.split(separator: "\n").map(String.init))
    }
}

/// A feed that says what the test tells it to, to the daemon that asked last.
final class ScriptedFeed: FrameFeed {
    private typealias Events = (
        stream: AsyncStream<AcquisitionEvent>, continuation: AsyncStream<AcquisitionEvent>.Continuation
    )

    private let state: Mutex<(events: Events, isTaken: Bool)>
    /// One element each time that a daemon begins to take events.
    let asked = AsyncStream<Void>.makeStream()

    init() {
        state = Mutex((AsyncStream.makeStream(), false))
    }

    func events(
        heartbeat: Heartbeat,
        hasRoomForOld: @escaping @Sendable () -> Bool
    ) -> AsyncStream<AcquisitionEvent> {
        defer { asked.continuation.yield() }
        return state.withLock { state in
            if state.isTaken { state.events = AsyncStream.makeStream() }
            state.isTaken = true
            return state.events.stream
        }
    }

    func stop() { state.withLock { $0.events.continuation.finish() } }
    func say(_ event: AcquisitionEvent) { state.withLock { _ = $0.events.continuation.yield(event) } }
}

/// Keeps what the service manager was told.
final class FakeServiceManager: ServiceNotifying {
    let watchdogInterval: Duration?
    private let told = Mutex<[String]>([])
    private let continuation: AsyncStream<String>.Continuation
    /// Everything told, as it comes.
    let messages: AsyncStream<String>

    init(watchdogInterval: Duration? = .seconds(60)) {
        self.watchdogInterval = watchdogInterval
        (messages, continuation) = AsyncStream.makeStream()
    }

    var all: [String] { told.withLock { $0 } }
    func ready() { tell("READY") }
    func status(_ text: String) { tell("STATUS \(text)") }
    func watchdog() { tell("WATCHDOG") }
    func reloading() { tell("RELOADING") }
    func stopping() { tell("STOPPING") }

    private func tell(_ message: String) {
        told.withLock { $0.append(message) }
        continuation.yield(message)
    }
}

/// Something that happens in order, from any thread.
final class Recorder<Value: Sendable>: Sendable {
    private let values = Mutex<[Value]>([])
    var all: [Value] { values.withLock { $0 } }
    func add(_ value: Value) { values.withLock { $0.append(value) } }
}
