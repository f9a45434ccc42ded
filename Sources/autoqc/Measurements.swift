import Detection
import Diffusion
import Faults
import Files
import Foundation
import Frames
import Mathematics
import Plate
import Simulation
import Tables
import Tensors

/// Measured figures, printed as `name median p90 unit` and on request written as JSON.
struct Measurements {
    /// Seconds by the clock, and of processor time (user and system) of all threads.
    struct Duration {
        let wall: Double
        let processor: Double
    }

    /// A point in time from which a duration is measured.
    struct Moment {
        private let wall: ContinuousClock.Instant
        private let processor: Double

        static var now: Moment {
            // POSIX counts a million a second. The members of `timespec` are not there in a release build from the start.
            Moment(wall: .now, processor: Double(clock()) / 1e6)
        }

        func since(_ start: Moment) -> Duration {
            Duration(wall: (wall - start.wall) / .seconds(1), processor: processor - start.processor)
        }
    }

    struct Entry: Encodable {
        let name: String
        let median: Double
        let p90: Double
        let unit: String
    }

    let options: MeasureOptions
    private(set) var entries: [Entry] = []

    init(_ options: MeasureOptions) { self.options = options }

    /// Runs of each figure.
    var count: Int { options.count }

    /// Adds a figure measured several times, and prints it.
    mutating func add(_ name: String, _ values: [Double], unit: String) throws {
        guard let last = values.max() else { return }
        let ranks = values.quantiles([0.5, 0.9])
        let entry = Entry(name: name, median: ranks[0], p90: ranks[1], unit: unit)
        entries.append(entry)
        let digits = last < 10 ? 3 : 1
        try options.output.say(["\(name) \(entry.median.digits(digits)) \(entry.p90.digits(digits)) \(unit)"])
    }

    /// Seconds of each of `count` runs, after one that makes plans and buffers and is not counted.
    static func seconds(_ count: Int, _ body: () throws -> Void) rethrows -> [Double] {
        try durations(count, body).map(\.wall)
    }

    /// Durations of each of `count` runs, after one that makes plans and buffers and is not counted.
    static func durations(_ count: Int, _ body: () throws -> Void) rethrows -> [Duration] {
        try (0...count).map { _ in
            let start = Moment.now
            try body()
            return Moment.now.since(start)
        }.dropFirst().map { $0 }
    }

    /// Adds how long something took by the clock, and how long all threads together worked on it.
    ///
    /// Other work on the machine moves the first far more than the second.
    mutating func add(_ name: String, _ times: [Duration]) throws {
        try add(name, times.map(\.wall), unit: "s")
        try add("\(name) processor time", times.map(\.processor), unit: "s")
    }

    /// Measures something in milliseconds.
    mutating func time(_ name: String, _ body: () throws -> Void) throws {
        try add(name, try Self.seconds(count, body).map { 1000 * $0 }, unit: "ms")
    }

    /// The most memory that this process ever held resident, in MiB.
    static func peakMemory() -> Double? {
        let status = try? String(contentsOfFile: "/proc/self/status", encoding: .utf8)
        let line = status?.split(separator: "\n").first { $0.hasPrefix("VmHWM:") }
        return line?.split(separator: " ").dropLast().last.flatMap { Double($0) }.map { $0 / 1024 }
    }
}

/// Simulated frames to measure with, in memory and in a temporary folder.
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

/// A convolution alone, without bias, sum, activation, or anything before or after it.
struct BareConvolution {
    /// N x H x W x I.
    let images: [Int]
    /// O x KH x KW x I.
    let weights: [Int]
    let geometry: ConvolutionGeometry
    let precision: Precision

    var operations: Double {
        let length = { (axis: Int) in
            (images[axis] + 2 * geometry.padding - weights[axis]) / geometry.stride + 1
        }
        return 2 * Double(images[0] * length(1) * length(2)) * Double(weights.reduce(1, *))
    }

    var name: String {
        "bare \(weights[1])x\(weights[2]) \(images[1])x\(images[2])x\(images[3]) to \(weights[0])"
    }

    /// The unit of its speed: operations on bytes are not on floats.
    var unit: String { precision == .int8 ? "GOP/s" : "GFLOP/s" }

    /// Seconds of each of `count` runs, by the faster of oneDNN and, where there is one, the package's own kernel.
    func fastestSeconds(_ count: Int) -> [Double] {
        let (own, library) = (seconds(count), librarySeconds(count))
        return own.median < library.median ? own : library
    }

    /// Seconds of each of `count` runs by oneDNN.
    func librarySeconds(_ count: Int) -> [Double] { Compute.withLibraryConvolutions { seconds(count) } }

    /// Seconds of each of `count` runs, as networks run it.
    func seconds(_ count: Int) -> [Double] {
        precision == .int8 ? byteSeconds(count) : floatSeconds(count)
    }

    private func floatSeconds(_ count: Int) -> [Double] {
        let x = Variable(constant: Tensor(repeating: 0.5, shape: images))
        let w = Variable(constant: Tensor(repeating: 0.01, shape: weights))
        return precision.run {
            Recording.off {
                Measurements.seconds(count) { _ = x.convolution(weights: w, geometry: geometry) }
            }
        }
    }

    private func byteSeconds(_ count: Int) -> [Double] {
        let shape = Array(images.dropFirst())
        let scale = ByteScale(holding: -0.3...2)
        let convolution = QuantisedConvolution(
            weights: Tensor(repeating: 0.01, shape: weights),
            bias: Tensor(repeating: 0, shape: [weights[0]]),
            geometry: geometry,
            activation: .identity,
            source: (shape, scale),
            output: scale,
            addend: nil
        )
        let source = ByteImage(shape: shape, scale: scale)
        let result = ByteImage(shape: convolution.outputShape, scale: scale)
        return Measurements.seconds(count) { convolution(source, into: result) }
    }
}
