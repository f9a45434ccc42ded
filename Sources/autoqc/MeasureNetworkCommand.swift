import ArgumentParser
import Mathematics
import Networks
import Randomness
import Tensors

struct MeasureNetworkCommand: MeasureGroup {
    static let configuration = CommandConfiguration(
        commandName: "network",
        abstract: "Measure one pass of each network, beside single convolutions of its shapes.",
        discussion: """
            A single convolution has no bias, sum or activation. The faster one of this package's kernel and \
            oneDNN's counts. `of bare speed` is the time of these convolutions over the time of the pass. \
            `of oneDNN's bare speed` is the same for oneDNN's convolutions.

            Examples:
              autoqc measure network --quick
              autoqc measure network --precision f32 --threads 1
            """
    )

    @OptionGroup var options: MeasureOptions

    static func measure(into measurements: inout Measurements) async throws {
        let precision = measurements.options.precision ?? .float32
        let architecture = try measurements.options.architecture()
        try precision.run { try measure(precision, architecture, into: &measurements) }
    }

    private static func measure(
        _ precision: Precision,
        _ architecture: RealtimeUNet.Architecture,
        into measurements: inout Measurements
    ) throws {
        let options = measurements.options
        var random = SplitMix64(state: 1)
        var configuration = UNetConfiguration()
        if options.quick { configuration.channels = 32 }
        let published = UNet(configuration, using: &random)
        let side = options.quick ? 64 : 192
        // Only the realtime network computes in bytes.
        if precision != .int8 {
            try measure("pddpm", images: [1, side, side, 1], into: &measurements) {
                published($0, timesteps: [49])
            }
        }
        let realtime = RealtimeUNet(architecture, using: &random).folded(timestep: 49)
        let size = [1, options.height, options.width, 1]
        var quantised: QuantisedRealtimeUNet?
        if precision == .int8 {
            let image = Tensor(repeating: 0.5, shape: size)
            quantised = QuantisedRealtimeUNet(realtime, ranges: realtime.ranges(of: image))
        }
        try measure("realtime", images: size, into: &measurements) { image in
            quantised.map { Variable(constant: $0(image.value)) } ?? realtime(image, timesteps: [49])
        }
    }

    /// One network: its passes, where their time goes, and the same convolutions bare.
    private static func measure(
        _ name: String,
        images: [Int],
        into measurements: inout Measurements,
        network: (Variable) -> Variable
    ) throws {
        let x = Variable(constant: Tensor(repeating: 0.5, shape: images))
        var passes: [KernelTimes] = []
        let durations = Recording.off {
            Measurements.durations(measurements.count) {
                passes.append(KernelTimes.of { _ = network(x) }.times)
            }
        }
        let totals = durations.map(\.wall)
        passes.removeFirst()
        let operations = passes[0].operations()
        let bare = try bareConvolutions(of: passes[0], name: name, into: &measurements)
        try measurements.add("\(name) work", [operations / 1e9], unit: "GFLOP")
        try measurements.add("\(name) pass", durations)
        try measurements.add("\(name) speed", totals.map { operations / $0 / 1e9 }, unit: "GFLOP/s")
        try measurements.add("\(name) of bare speed", totals.map { 100 * bare.fastest / $0 }, unit: "%")
        try measurements.add(
            "\(name) of oneDNN's bare speed",
            totals.map { 100 * bare.library / $0 },
            unit: "%"
        )
        let parts: [(String, (KernelTimes.Kind) -> Bool)] = [
            ("convolutions", { $0.isConvolution }), ("group norm and silu", { $0 == .groupNorm }),
            ("attention", { $0 == .attention }), ("products", { $0 == .product }),
        ]
        var rest = totals.map { _ in 100.0 }
        for (part, matches) in parts {
            let shares = zip(passes, totals).map { 100 * $0.seconds(where: matches) / $1 }
            try measurements.add("\(name) \(part)", shares, unit: "%")
            rest = zip(rest, shares).map { $0 - $1 }
        }
        try measurements.add("\(name) rest", rest, unit: "%")
    }

    /// Seconds that a pass's convolutions take bare; those with a fiftieth of its work or more are reported.
    private static func bareConvolutions(
        of pass: KernelTimes,
        name: String,
        into measurements: inout Measurements
    ) throws -> (fastest: Double, library: Double) {
        let total = pass.operations { $0.isConvolution }
        let entries = Dictionary(grouping: pass.entries.filter { $0.kind.isConvolution }, by: \.kind)
        let ordered = entries.sorted { $0.value[0].operations > $1.value[0].operations }
        return try ordered.reduce((fastest: 0.0, library: 0.0)) { sum, group in
            guard case .convolution(let images, let weights, let geometry, let precision) = group.key else {
                return sum
            }
            let bare = BareConvolution(
                images: images,
                weights: weights,
                geometry: geometry,
                precision: precision
            )
            let (times, library) = (bare.fastestSeconds(5), bare.librarySeconds(5))
            let operations = group.value[0].operations
            if operations * Double(group.value.count) >= total / 50 {
                let speeds = times.map { operations / $0 / 1e9 }
                try measurements.add("\(name) \(bare.name)", speeds, unit: "GFLOP/s")
            }
            let runs = Double(group.value.count)
            return (sum.fastest + runs * times.median, sum.library + runs * library.median)
        }
    }
}
