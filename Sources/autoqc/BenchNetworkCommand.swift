import ArgumentParser
import Networks
import Randomness
import Tensors

/// `autoqc bench network`.
struct BenchNetworkCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "network",
        abstract: "One pass of each network beside bare convolutions of its own shapes.",
        discussion: """
            A bare convolution has the network's shape but no bias, no sum and no activation, and nothing runs between \
            two of them. 'of bare speed' is the time that the bare convolutions would take over the time of the pass.
            """
    )

    @Flag(help: "A narrow network and small images: whether it runs, not how fast.")
    var quick = false
    @Option(help: "Also write the figures to this file.")
    var json: String?
    @Option(help: "f32, int8 (the realtime network only), or bf16 where the CPU multiplies it.")
    var precision = Precision.float32
    @Option(help: "Passes to measure.")
    var passes = 5
    @Option(help: "Threads (default: all cores).")
    var threads: Int?

    func validate() throws {
        guard passes > 0 else { throw ValidationError("--passes must be at least 1") }
        guard threads.map({ $0 > 0 }) ?? true else { throw ValidationError("--threads must be at least 1") }
        guard precision.isSupported else {
            throw ValidationError(
                "this CPU does not multiply \(precision.rawValue); measure with --precision f32"
            )
        }
    }

    func run() throws {
        if let threads { Compute.setThreads(threads) }
        let measurements = precision.run { measured() }
        if let json { try measurements.write(path: json) }
    }

    private func measured() -> Measurements {
        var measurements = Measurements()
        var random = SplitMix64(state: 1)
        var configuration = UNetConfiguration()
        if quick { configuration.channels = 32 }
        let published = UNet(configuration, using: &random)
        let side = quick ? 64 : 192
        // Only the realtime network computes in bytes.
        if precision != .int8 {
            Self.measure("pddpm", passes: passes, images: [1, side, side, 1], into: &measurements) {
                published($0, timesteps: [49])
            }
        }
        let realtime = RealtimeUNet(.standard, using: &random).folded(timestep: 49)
        let size = quick ? [1, 192, 320, 1] : [1, 800, 1280, 1]
        var quantised: QuantisedRealtimeUNet?
        if precision == .int8 {
            let image = Tensor(repeating: 0.5, shape: size)
            quantised = QuantisedRealtimeUNet(realtime, ranges: realtime.ranges(of: image))
        }
        Self.measure("realtime", passes: passes, images: size, into: &measurements) { image in
            quantised.map { Variable(constant: $0(image.value)) } ?? realtime(image, timesteps: [49])
        }
        return measurements
    }

    /// One network: its passes, where their time goes, and the same convolutions bare.
    private static func measure(
        _ name: String,
        passes: Int,
        images: [Int],
        into measurements: inout Measurements,
        network: (Variable) -> Variable
    ) {
        let x = Variable(constant: Tensor(repeating: 0.5, shape: images))
        let clock = ContinuousClock()
        var totals: [Double] = []
        var profiles: [Profile] = []
        Recording.off {
            // The first pass makes plans and buffers.
            for pass in 0...passes {
                let start = clock.now
                let profile = Profile.of { _ = network(x) }.profile
                guard pass > 0 else { continue }
                totals.append((clock.now - start) / .seconds(1))
                profiles.append(profile)
            }
        }
        let operations = profiles[0].operations()
        let bare = bareConvolutions(of: profiles[0], name: name, into: &measurements)
        measurements.add("\(name) work", [operations / 1e9], unit: "GFLOP")
        measurements.add("\(name) pass", totals, unit: "s")
        measurements.add("\(name) speed", totals.map { operations / $0 / 1e9 }, unit: "GFLOP/s")
        measurements.add("\(name) of bare speed", totals.map { 100 * bare / $0 }, unit: "%")
        let parts: [(String, (Profile.Kind) -> Bool)] = [
            ("convolutions", { $0.isConvolution }), ("group norm and silu", { $0 == .groupNorm }),
            ("attention", { $0 == .attention }), ("products", { $0 == .product }),
        ]
        var rest = totals.map { _ in 100.0 }
        for (part, matches) in parts {
            let shares = zip(profiles, totals).map { 100 * $0.seconds(where: matches) / $1 }
            measurements.add("\(name) \(part)", shares, unit: "%")
            rest = zip(rest, shares).map { $0 - $1 }
        }
        measurements.add("\(name) rest", rest, unit: "%")
    }

    /// Seconds that a pass's convolutions take bare; those with a fiftieth of its work or more are reported.
    private static func bareConvolutions(
        of profile: Profile,
        name: String,
        into measurements: inout Measurements
    ) -> Double {
        let total = profile.operations { $0.isConvolution }
        let entries = Dictionary(grouping: profile.entries.filter { $0.kind.isConvolution }, by: \.kind)
        let ordered = entries.sorted { $0.value[0].operations > $1.value[0].operations }
        return ordered.reduce(0) { sum, group in
            guard case .convolution(let images, let weights, let geometry, let precision) = group.key else {
                return sum
            }
            let times =
                precision == .int8
                ? bareByteSeconds(images: images, weights: weights, geometry: geometry)
                : bareSeconds(images: images, weights: weights, geometry: geometry)
            let operations = group.value[0].operations
            if operations * Double(group.value.count) >= total / 50 {
                let shape = "\(images[1])x\(images[2])x\(images[3]) to \(weights[0])"
                measurements.add(
                    "\(name) bare \(weights[1])x\(weights[2]) \(shape)",
                    times.map { operations / $0 / 1e9 },
                    unit: "GFLOP/s"
                )
            }
            return sum + Double(group.value.count) * times.sorted()[times.count / 2]
        }
    }

    /// Times of one convolution of bytes of a shape, measured alone.
    private static func bareByteSeconds(
        images: [Int],
        weights: [Int],
        geometry: ConvolutionGeometry
    ) -> [Double] {
        let convolution = QuantisedConvolution(
            weights: Tensor(repeating: 0.01, shape: weights),
            bias: Tensor(repeating: 0, shape: [weights[0]]),
            geometry: geometry,
            activation: .identity,
            source: (Array(images.dropFirst()), 0.01),
            output: 0.01,
            addend: nil
        )
        let source = ByteImage(shape: Array(images.dropFirst()), scale: 0.01)
        let result = ByteImage(shape: convolution.outputShape, scale: 0.01)
        let clock = ContinuousClock()
        return (0...5).map { _ in
            let start = clock.now
            convolution(source, into: result)
            return (clock.now - start) / .seconds(1)
        }.dropFirst().map { $0 }
    }

    /// Times of one convolution of a shape, measured alone.
    private static func bareSeconds(
        images: [Int],
        weights: [Int],
        geometry: ConvolutionGeometry
    ) -> [Double] {
        let x = Variable(constant: Tensor(repeating: 0.5, shape: images))
        let w = Variable(constant: Tensor(repeating: 0.01, shape: weights))
        let clock = ContinuousClock()
        return Recording.off {
            (0...5).map { _ in
                let start = clock.now
                _ = x.convolution(weights: w, geometry: geometry)
                return (clock.now - start) / .seconds(1)
            }.dropFirst().map { $0 }
        }
    }
}
