import Foundation
import Ledger
import Logging
import Plate
import Reporting
import Rules

/// One round of the canary, a judgement at a time: each frame as it is, and where it is still normal, a copy of it with a fault
/// of each class.
///
/// What it does follows from the frames alone, so that a round can be repeated. It reads files and writes none.
struct CanaryTrial {
    struct Tools: Sendable {
        let reader: any FrameReading
        let faultyCopy: Monitor.FaultyCopy
        let logger: Logger
        /// What the canary's thread notes for the case of a crash.
        var note: JudgingNote?
    }

    /// A normal frame, and the classes of faults that are not on a copy of it yet.
    private struct Subject {
        let frame: Frame
        let name: FrameID
        var causes: ArraySlice<Cause>
    }

    /// The classes of faults, each put on a copy of every frame.
    static let causes: [Cause] = [.airBubble, .artifact, .zShift, .illumination, .contamination]

    /// A microscope's software may move frames away as soon as they are judged: a round must not look for thousands of them.
    private static let candidatesPerFrame = 3

    private let tools: Tools
    private let judge: any FrameJudge
    private let threshold: Double?
    private var candidates: ArraySlice<LocatedFrame>
    private var wanted: Int
    private var subject: Subject?
    private var copied: [FrameID] = []
    private var leftOut = 0
    private var tallies = CanaryTrial.causes.map { CanaryRound.Tally(cause: $0) }
    private var lastThreshold: Double?
    private var cost = Duration.zero

    /// Plans a round on so many of the candidates, with the judge and threshold that frames get.
    init(_ candidates: [LocatedFrame], wanted: Int, judge: any FrameJudge, threshold: Double?, tools: Tools) {
        self.candidates = Self.spreadOverWells(candidates).prefix(Self.candidatesPerFrame * wanted)
        self.wanted = wanted
        self.judge = judge
        self.threshold = threshold
        self.tools = tools
    }

    var isDone: Bool { subject == nil && (wanted == 0 || candidates.isEmpty) }

    /// Judges one frame or one copy, or skips a frame that cannot be read.
    mutating func step() {
        let start = Self.coreTime()
        defer { cost += Self.coreTime() - start }
        if subject != nil { judgeCopy() } else { judgeNextFrame() }
    }

    /// The result; `nil` where no copy could be made.
    func round(at time: Timestamp) -> CanaryRound? {
        guard let lastThreshold, tallies.contains(where: { $0.copies > 0 }) else { return nil }
        return CanaryRound(
            time: time,
            model: judge.model,
            precision: judge.precisionName,
            threshold: lastThreshold,
            frames: copied.map(\.description).joined(separator: " "),
            leftOut: leftOut,
            tallies: tallies,
            cost: cost
        )
    }

    private mutating func judgeNextFrame() {
        guard wanted > 0, let candidate = candidates.popFirst() else { return }
        let path = candidate.source.absolutePath
        tools.note?.clear()
        if let note = tools.note {
            guard !note.isSuspect(path) else {
                return skip(candidate, because: "the program crashed while it judged it")
            }
            _ = note.begin(path, tick: {})
        }
        do {
            let open = try tools.reader.open(path)
            guard open.hasPage(candidate.source.page) else {
                return skip(candidate, because: "it has no page \(candidate.source.page) any more")
            }
            let frame = try open.frame(page: candidate.source.page)
            guard try verdict(of: frame) == .normal else {
                leftOut += 1
                return skip(candidate, because: "it is not normal any more")
            }
            wanted -= 1
            copied.append(candidate.frame)
            subject = Subject(frame: frame, name: candidate.frame, causes: Self.causes[...])
        } catch let error as FrameReadError {
            skip(candidate, because: error.reason)
        } catch {
            skip(candidate, because: "\(error)")
        }
    }

    private mutating func judgeCopy() {
        guard let current = subject, let cause = subject?.causes.popFirst() else { return }
        if subject?.causes.isEmpty == true { subject = nil }
        guard let copy = tools.faultyCopy(current.frame, cause, Self.seed(of: current.name, cause)),
            let index = tallies.firstIndex(where: { $0.cause == cause })
        else { return }
        do {
            let isFound = try verdict(of: copy) == .faulty
            tallies[index].copies += 1
            tallies[index].found += isFound ? 1 : 0
        } catch {
            tools.logger.error(
                "A copy with a fault could not be judged",
                metadata: ["reason": "\(error)", "file": "\(current.name)"]
            )
        }
    }

    private mutating func verdict(of frame: Frame) throws -> Verdict {
        let judgement = try judge.judge(frame, threshold: threshold, patches: .all)
        lastThreshold = judgement.threshold
        return judgement.isFinite ? judgement.verdict : .unreadable
    }

    private func skip(_ candidate: LocatedFrame, because reason: String) {
        tools.logger.info(
            "The canary skips a frame",
            metadata: ["file": "\(candidate.source.path)", "reason": "\(reason)"]
        )
    }

    /// The newest frame of every well before a second one of any, in an order that changes with the frames.
    static func spreadOverWells(_ frames: [LocatedFrame]) -> [LocatedFrame] {
        var seen: [WellQueue.WellKey: Int] = [:]
        let ranked = frames.map { frame in
            let rank = seen[WellQueue.WellKey(frame.frame), default: 0]
            seen[WellQueue.WellKey(frame.frame)] = rank + 1
            return (rank: rank, order: frame.frame.description.stableHash, frame: frame)
        }
        return ranked.sorted { ($0.rank, $0.order) < ($1.rank, $1.order) }.map(\.frame)
    }

    /// A seed that is the same for the same frame and class, on every machine.
    private static func seed(of frame: FrameID, _ cause: Cause) -> UInt64 {
        UInt64("\(frame) \(cause.rawValue)".stableHash, radix: 16) ?? 0
    }

    private static func coreTime() -> Duration {
        var time = timespec()
        unsafe clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
        return .seconds(time.tv_sec) + .nanoseconds(time.tv_nsec)
    }
}
