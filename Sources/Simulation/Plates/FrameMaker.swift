import Faults
import Foundation
import Frames
import Plate
import Synchronization

/// Simulates the frames of a plate, on any thread and in any order.
final class FrameMaker: Sendable {
    /// A frame that waits for its time.
    struct Made: Sendable {
        /// The frame as it will be written.
        enum Content: Sendable {
            /// A file's bytes.
            case file(Data)
            /// A page of a movie.
            case page(Frame)
        }

        let content: Content
        let faults: [Fault]
    }

    private let plan: PlatePlan
    private let microscope: Microscope
    private let faults: [Well: [Fault]]
    private let staging: String
    /// The scene of each well that has come farthest: going on is cheap, going back is not.
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

    /// Makes a frame and encodes it, unless it will be a page among others.
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
