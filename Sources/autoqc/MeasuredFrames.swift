import Detection
import Faults
import Foundation
import Frames
import Plate
import Simulation

/// What is measured on: simulated frames in memory and in a folder of their own.
enum MeasuredFrames {
    /// Noise and patches as `train` has them unless told otherwise.
    static var diffusion: PatchedDiffusion {
        guard let phases = PatchPhases(patch: 64, count: 2),
            let diffusion = PatchedDiffusion(timestep: 100, noise: .simplex, noiseSeed: 1, phases: phases)
        else { preconditionFailure("patches of 64 in 2 phases at timestep 100 of 1000 are valid") }
        return diffusion
    }

    /// A frame with an air bubble.
    static func faulty(_ options: MeasureOptions) -> LabelledFrame {
        var scene = scene(column: 1, options, faults: [bubble])
        return scene.frame(0)
    }

    /// Writes frames of four wells, one of them with an air bubble, named as the daemon expects; returns their paths.
    static func write(_ count: Int, to folder: URL, _ options: MeasureOptions) throws -> [String] {
        let wells = 4
        var scenes = (0..<wells).map { scene(column: $0 + 1, options, faults: $0 == 0 ? [bubble] : []) }
        return try (0..<count).map { index in
            let (well, number) = (index % wells, index / wells)
            let path = folder.appending(path: "01_A\(well + 1)_f\(number).tiff").path
            try TIFFWriter.write(
                scenes[well].frame(number).frame,
                to: path,
                pixelSize: Microscope.filedPixelSize
            )
            return path
        }
    }

    /// Lends a temporary folder.
    static func withFolder<Result>(_ body: (URL) async throws -> Result) async throws -> Result {
        let folder = try makeFolder()
        defer { try? FileManager.default.removeItem(at: folder) }
        return try await body(folder)
    }

    private static func makeFolder() throws -> URL {
        let folder = FileManager.default.temporaryDirectory.appending(
            path: "autoqc-measure-\(UUID().uuidString)"
        )
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        return folder
    }

    private static let bubble = Fault(form: .darkBubble, strength: 0.9, seed: 1)

    private static func scene(column: Int, _ options: MeasureOptions, faults: [Fault]) -> WellScene {
        guard let well = Well(row: 0, column: column) else { preconditionFailure("column \(column) exists") }
        let settings = Microscope.Settings(height: options.height, width: options.width)
        return Microscope(settings).scene(of: well, faults: faults)
    }
}
