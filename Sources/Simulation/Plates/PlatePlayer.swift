import Faults
import Foundation
import Plate

/// Plays a plate in real or faster time: frames are written into a folder as a microscope writes them.
///
/// Other threads simulate frames in advance, the first ones before the clock starts; this thread waits for their time and
/// writes them. A late frame is written at once, and its lateness is measured.
package struct PlatePlayer: Sendable {
    /// Progress of a plate.
    package struct Progress: Sendable {
        /// Frames that were due.
        package let frames: Int
        /// Frames of the whole plate.
        package let count: Int
        /// Lateness of the last frame, in s.
        package let lateness: Double
    }

    private let settings: PlateSettings
    private let faults: [Well: [Fault]]
    private let folder: String
    private let truth: String

    /// Checks settings and script; `nil` for the standard script.
    ///
    /// `folder` is made where it is missing; `truth` must not exist and not lie in it. Throws a sentence.
    package init(
        _ settings: PlateSettings,
        script: FaultScript? = nil,
        folder: String,
        truth: String
    ) throws(SimulationError) {
        if let problem = settings.problem { throw SimulationError(problem) }
        guard !PlateFolder.holds(folder, truth) else {
            throw SimulationError(
                "\(truth): lies in the plate's folder, where a daemon would find it; choose another place"
            )
        }
        self.settings = settings
        self.folder = folder
        self.truth = truth
        faults = try (script ?? .standard(settings)).faults(settings)
    }

    /// Writes the plate; ends early, with whole files, once `isInterrupted`.
    ///
    /// Throws a sentence where something cannot be written; what was written stays.
    package func run(
        isInterrupted: () -> Bool = { false },
        progress: (Progress) -> Void = { _ in }
    ) throws(SimulationError) -> PlateSummary {
        let plan = PlatePlan(settings)
        let maker = try FrameMaker(plan, faults: faults)
        let ahead = LookAhead(
            count: plan.count,
            depth: min(max(settings.wells, 32), 128),
            workers: ProcessInfo.processInfo.activeProcessorCount
        ) { number throws(SimulationError) in try maker.make(number) }
        defer { ahead.stop() }
        let target = try PlateFolder(folder)
        let log = try TruthLog(truth)
        var delivery = delivery(into: target, log)
        // The first frames take all cores for a while: that is before the plate begins.
        ahead.fill(unless: isInterrupted)
        var pace = Pace()
        for number in 0..<plan.count {
            let step = plan.step(number)
            guard try pace.wait(until: step.due, meanwhile: &delivery, unless: isInterrupted),
                let made = try ahead.item(number, unless: isInterrupted)
            else { break }
            pace.note(due: step.due)
            try delivery.deliver(made, step)
            progress(Progress(frames: number + 1, count: plan.count, lateness: pace.lateness))
        }
        while let due = delivery.nextPiece,
            try pace.wait(until: due, meanwhile: &delivery, unless: isInterrupted)
        { try delivery.writePiece() }
        try delivery.finish()
        return summary(log, pace)
    }

    private func delivery(into folder: PlateFolder, _ log: TruthLog) -> any FrameDelivery {
        switch (settings.layout, settings.writer) {
        case (.movie, _): return MovieFiles(folder: folder, truth: log, settings: settings)
        case (_, .slow):
            return SlowFiles(folder: folder, truth: log, scaledInterval: settings.scaledInterval)
        case (_, .plain), (_, .burst): return WholeFiles(folder: folder, truth: log, renames: false)
        case (_, .rename): return WholeFiles(folder: folder, truth: log, renames: true)
        }
    }

    private func summary(_ log: TruthLog, _ pace: Pace) -> PlateSummary {
        PlateSummary(
            frames: log.count,
            faulty: log.faulty,
            expected: settings.wells * settings.frames,
            seconds: pace.elapsed / .seconds(1),
            askedRate: Double(settings.wells) / settings.scaledInterval,
            greatestLateness: pace.greatestLateness,
            scaledInterval: settings.scaledInterval
        )
    }
}

struct Pace {
    /// Longest sleep, so that an interruption is noticed.
    private static let nap = Duration.milliseconds(50)

    private let start = ContinuousClock.now
    private(set) var lateness = 0.0
    /// Lateness of the latest frame, in s.
    private(set) var greatestLateness = 0.0

    var elapsed: Duration { ContinuousClock.now - start }

    /// Waits for a moment and writes the pieces that are due before it; `false` once interrupted.
    func wait(
        until due: Duration,
        meanwhile delivery: inout any FrameDelivery,
        unless isInterrupted: () -> Bool
    ) throws(SimulationError) -> Bool {
        while !isInterrupted() {
            let now = elapsed
            if let piece = delivery.nextPiece, piece <= now, piece < due {
                try delivery.writePiece()
            } else if due <= now {
                return true
            } else {
                let next = min(due, delivery.nextPiece ?? due)
                Thread.sleep(forTimeInterval: max(min(next - now, Self.nap), .zero) / .seconds(1))
            }
        }
        return false
    }

    mutating func note(due: Duration) {
        lateness = (elapsed - due) / .seconds(1)
        greatestLateness = max(greatestLateness, lateness)
    }
}
