import Dispatch
import Faults
import Foundation
import Frames
import Plate
import Synchronization

/// Simulates and encodes the frames of a plate, on any thread and in any order.
final class FrameMaker: Sendable {
    struct Made: Sendable {
        enum Content: Sendable {
            case file(Data)
            case page(Frame)
        }

        let content: Content
        let faults: [Fault]
    }

    private let plan: PlatePlan
    private let microscope: Microscope
    private let faults: [Well: [Fault]]
    private let staging: String
    /// The latest scene of each well: the next frame of a scene is cheap, an earlier one is not.
    private let scenes = Mutex<[Int: (scene: WellScene, index: Int)]>([:])

    /// Makes a temporary folder, in which files are encoded.
    init(_ plan: PlatePlan, faults: [Well: [Fault]]) throws(SimulationError) {
        let settings = plan.settings
        self.plan = plan
        self.faults = faults
        microscope = Microscope(
            Microscope.Settings(
                seed: settings.seed,
                height: settings.height,
                width: settings.width,
                interval: Float(settings.interval)
            )
        )
        staging =
            FileManager.default.temporaryDirectory.appending(path: "autoqc-plate-\(UUID().uuidString)").path
        do {
            try FileManager.default.createDirectory(atPath: staging, withIntermediateDirectories: true)
        } catch {
            throw SimulationError("\(staging): cannot be made (\(error.localizedDescription))")
        }
    }

    deinit { try? FileManager.default.removeItem(atPath: staging) }

    /// Makes a frame, and encodes it unless it is a page of a movie.
    func make(_ number: Int) throws(SimulationError) -> Made {
        let step = plan.step(number)
        let simulated = frame(of: step)
        guard plan.settings.layout != .movie else {
            return Made(content: .page(simulated.frame), faults: simulated.faults)
        }
        return Made(content: .file(try encoded(simulated.frame, number)), faults: simulated.faults)
    }

    private func frame(of step: PlatePlan.Step) -> LabelledFrame {
        let known = scenes.withLock { $0[step.position]?.scene }
        let well = step.frame.well
        var scene = known ?? microscope.scene(of: well, faults: faults[well] ?? [])
        let frame = scene.frame(step.frame.index)
        scenes.withLock { scenes in
            if scenes[step.position].map({ $0.index < step.frame.index }) ?? true {
                scenes[step.position] = (scene, step.frame.index)
            }
        }
        return frame
    }

    private func encoded(_ frame: Frame, _ number: Int) throws(SimulationError) -> Data {
        let path = "\(staging)/\(number).tiff"
        do {
            try TIFFWriter.write(
                frame,
                to: path,
                compression: .fastDeflate,
                pixelSize: Microscope.filedPixelSize,
                timeInterval: plan.settings.interval
            )
            let data = try Data(contentsOf: URL(filePath: path))
            try FileManager.default.removeItem(atPath: path)
            return data
        } catch {
            throw SimulationError("\(path): the frame cannot be encoded (\(error))")
        }
    }
}

/// Items made in advance on other threads, in any order, and taken in order.
///
/// At most `depth` of them are ready or being made.
final class LookAhead<Item: Sendable>: Sendable {
    private struct State {
        var next = 0
        var ready: [Int: Result<Item, SimulationError>] = [:]
        var isStopped = false
    }

    private let state = Mutex(State())
    private let room = DispatchSemaphore(value: 0)
    private let news = DispatchSemaphore(value: 0)
    private let count: Int
    private let depth: Int
    private let workers: Int
    private let make: @Sendable (Int) throws(SimulationError) -> Item

    /// Begins to make items 0 to `count - 1`.
    init(
        count: Int,
        depth: Int,
        workers: Int,
        make: @escaping @Sendable (Int) throws(SimulationError) -> Item
    ) {
        precondition(depth > 0 && workers > 0, "nothing is made by \(workers) workers, \(depth) ahead")
        (self.count, self.depth, self.workers, self.make) = (count, depth, workers, make)
        for _ in 0..<depth { room.signal() }
        for number in 0..<workers {
            let thread = Thread { self.work() }
            thread.name = "autoqc.ahead\(number)"
            thread.start()
        }
    }

    /// Waits until `depth` items are ready, or all there are.
    func fill(unless isInterrupted: () -> Bool) {
        while !isInterrupted(), state.withLock({ $0.ready.count }) < min(depth, count) {
            _ = news.wait(timeout: .now() + .milliseconds(100))
        }
    }

    /// Waits for an item; each is taken once and in order.
    ///
    /// `nil` once `isInterrupted`.
    func item(_ number: Int, unless isInterrupted: () -> Bool) throws(SimulationError) -> Item? {
        while !isInterrupted() {
            if let result = state.withLock({ $0.ready.removeValue(forKey: number) }) {
                room.signal()
                return try result.get()
            }
            _ = news.wait(timeout: .now() + .milliseconds(100))
        }
        return nil
    }

    func stop() {
        state.withLock { $0.isStopped = true }
        for _ in 0..<workers { room.signal() }
    }

    private func work() {
        while true {
            room.wait()
            let number = state.withLock { state -> Int? in
                guard !state.isStopped, state.next < count else { return nil }
                defer { state.next += 1 }
                return state.next
            }
            guard let number else { return }
            let result = Result { () throws(SimulationError) in try make(number) }
            state.withLock { $0.ready[number] = result }
            news.signal()
        }
    }
}
