import ArgumentParser
import Networks

/// What a training of the `realtime` profile is told of its network; what is left out is that of the shipped model.
struct RealtimeOptions: ParsableArguments {
    @Option(help: "Channels at three resolutions, each half the one before (default: 24,48,64).")
    var widths: NumberList?
    @Option(help: "Residual blocks at each of the three (default: 1,1,2).")
    var depths: NumberList?
    @Option(help: "Pixels per side of the cells that become channels at the entrance: 4 or 8 (default: 4).")
    var cell: Int?

    /// The options given, by name.
    var given: [String] {
        [("--widths", widths != nil), ("--depths", depths != nil), ("--cell", cell != nil)].filter(\.1).map(
            \.0
        )
    }

    func validate() throws {
        guard architecture != nil else {
            throw ValidationError("--widths and --depths take three numbers each, --cell is 4 or 8")
        }
    }

    /// The network asked for; `nil` if there is none of this kind.
    var architecture: RealtimeUNet.Architecture? {
        let standard = RealtimeUNet.Architecture.standard
        return RealtimeUNet.Architecture(
            cell: cell ?? standard.cell,
            channels: widths?.values ?? standard.channels,
            blocks: depths?.values ?? standard.blocks,
            embedding: standard.embedding
        )
    }
}

/// Numbers with commas in between.
struct NumberList: ExpressibleByArgument {
    let values: [Int]

    init?(argument: String) {
        let parts = argument.split(separator: ",", omittingEmptySubsequences: false)
        values = parts.compactMap { Int($0) }
        guard values.count == parts.count else { return nil }
    }
}
