package import Checkpoints
package import Diffusion
import Networks

/// The settings of a model that the published trainer wrote as hyper-parameters.
///
/// | entry | what |
/// |---|---|
/// | `name` | the method: `DDPM_patched_2D`, or a name with DDPM, VAE or AE as one of its words |
/// | `imageDim` | sides of the window; only square ones are possible |
/// | `patch_size` | side of a patch |
/// | `timesteps`, `test_timesteps` | steps of the schedule; steps of noise at test, of which the index is one less |
/// | `noisetype` | simplex, gaussian or coarse |
/// | `objective` | what the network predicts, which has to be the clean image: `pred_x0` |
/// | `residualmode` | `l1` or `l1+ssim` |
/// | `unet_dim`, `dim_mults`, `num_res_blocks`, `num_head_channels` | size of the network |
///
/// Other entries are ignored.
package struct PublishedConfiguration: Sendable, Equatable {
    /// The setting that an entry decides.
    package enum Setting: Sendable, Hashable {
        /// The method.
        case method
        /// The window.
        case window
        /// The patch.
        case patch
        /// The timestep at test.
        case timestep
        /// The kind of noise.
        case noise
        /// Channels of an attention head.
        case headChannels
        /// Width and depth of the network, and what it predicts.
        case network
    }

    /// An entry that cannot be used.
    package struct Fault: Sendable, Equatable {
        /// The setting that it would decide.
        package let setting: Setting
        /// What is wrong, as a clause.
        package let clause: String
    }

    /// The method.
    package private(set) var method: Method?
    /// Pixels per side of the window.
    package private(set) var window: Int?
    /// Pixels per side of a patch.
    package private(set) var patch: Int?
    /// Steps of the schedule.
    package private(set) var steps: Int?
    /// The timestep at test, an index into the schedule.
    package private(set) var timestep: Int?
    /// The kind of noise.
    package private(set) var noise: NoiseKind?
    /// How input and reconstruction are compared.
    package private(set) var residual: Residual?
    /// Channels at full resolution.
    package private(set) var channels: Int?
    /// Multiple of the channels at each level.
    package private(set) var multipliers: [Int]?
    /// Residual blocks a level.
    package private(set) var residualBlocks: Int?
    /// Channels of an attention head.
    package private(set) var headChannels: Int?
    /// Entries that cannot be used.
    package private(set) var faults: [Fault] = []

    /// Reads the entries.
    package init(_ parameters: HyperParameters) {
        let values = parameters.values
        if case .text(let name)? = values["name"] { method = Self.method(called: name) }
        readWindow(values["imageDim"])
        patch = number("patch_size", values, .patch)
        steps = number("timesteps", values, .timestep)
        timestep = number("test_timesteps", values, .timestep).map { $0 - 1 }
        channels = number("unet_dim", values, .network)
        residualBlocks = number("num_res_blocks", values, .network)
        headChannels = number("num_head_channels", values, .headChannels)
        if let value = values["dim_mults"] {
            multipliers = Self.numbers(value)
            if multipliers == nil { addFault(.network, "dim_mults is no list of whole numbers") }
        }
        readNoise(values["noisetype"])
        switch values["residualmode"] {
        case .text("l1"): residual = .l1
        case .text("l1+ssim"): residual = .l1DSSIM
        default: residual = nil
        }
        if let objective = values["objective"], objective != .text("pred_x0") {
            addFault(
                .network,
                "objective is \(Self.words(objective)); only networks that predict the clean image (pred_x0) can be used"
            )
        }
    }

    /// The entries that say other than the weights do, one clause each; `overridden` ones do not count.
    package func contradictions(
        with found: PublishedNetwork,
        overridden: Set<Setting>
    ) -> [String] {
        var clauses = faults.filter { !overridden.contains($0.setting) }.map(\.clause)
        func compare(_ entry: String, _ said: (some Equatable)?, _ known: (some Equatable)?, _ what: String) {
            guard let said, let known, "\(said)" != "\(known)" else { return }
            clauses.append(
                "\(entry) is \(said), and the weights are of \(what.isEmpty ? "\(known)" : "\(known) \(what)")"
            )
        }
        if !overridden.contains(.method) {
            compare("the method", method?.rawValue, found.method.rawValue, "")
        }
        compare("unet_dim", channels, found.size?.channels, "channels")
        compare("dim_mults", multipliers, found.size?.multipliers, "times the channels")
        compare("num_res_blocks", residualBlocks, found.size?.residualBlocks, "blocks a level")
        guard !overridden.contains(.window), let window else { return clauses }
        if let size = found.size {
            let said = size.publishedAttentionLevels(window: window)
            if said != size.attentionLevels {
                clauses.append(
                    "imageDim is \(window), which takes attention at \(Self.levels(said)), and the weights have it at "
                        + Self.levels(size.attentionLevels)
                )
                return clauses
            }
        }
        compare("imageDim", window, found.imageSize, "pixels a side")
        return clauses
    }

    private static func levels(_ levels: [Int]) -> String {
        levels.isEmpty ? "no level" : "level \(levels.map { "\($0)" }.joined(separator: ", "))"
    }

    private static func method(called name: String) -> Method? {
        let words = name.lowercased().split { !$0.isLetter }
        if words.contains("ddpm") { return words.contains("patched") ? .pddpm : .ddpm }
        if words.contains("vae") { return .vae }
        return words.contains("ae") ? .ae : nil
    }

    private mutating func readWindow(_ value: HyperParameters.Value?) {
        guard let value else { return }
        guard let sides = Self.numbers(value), sides.count >= 2 else {
            return addFault(.window, "imageDim is no list of two or three whole numbers")
        }
        guard sides[0] == sides[1] else {
            return addFault(.window, "imageDim is \(sides[0]) x \(sides[1]); only square windows can be used")
        }
        window = sides[0]
    }

    private mutating func readNoise(_ value: HyperParameters.Value?) {
        guard let value else { return }
        if case .text(let name) = value { noise = NoiseKind(rawValue: name) }
        if noise == nil {
            addFault(.noise, "noisetype is \(Self.words(value)); simplex, gaussian and coarse are possible")
        }
    }

    private mutating func number(
        _ entry: String,
        _ values: [String: HyperParameters.Value],
        _ setting: Setting
    ) -> Int? {
        guard let value = values[entry] else { return nil }
        if let number = Self.number(value) { return number }
        addFault(setting, "\(entry) is \(Self.words(value)), and has to be a whole number from 1 to 100000")
        return nil
    }

    private mutating func addFault(_ setting: Setting, _ clause: String) {
        faults.append(Fault(setting: setting, clause: clause))
    }

    private static func number(_ value: HyperParameters.Value) -> Int? {
        switch value {
        case .integer(let number) where (1...100_000).contains(number): number
        case .real(let number): Int(exactly: number).flatMap { (1...100_000).contains($0) ? $0 : nil }
        default: nil
        }
    }

    private static func numbers(_ value: HyperParameters.Value) -> [Int]? {
        guard case .list(let values) = value else { return nil }
        let numbers = values.compactMap(number)
        return numbers.count == values.count ? numbers : nil
    }

    private static func words(_ value: HyperParameters.Value) -> String {
        switch value {
        case .text(let text): "'\(text.printable)'"
        case .integer(let number): "\(number)"
        case .real(let number): "\(number)"
        case .boolean(let isTrue): "\(isTrue)"
        case .list: "a list"
        }
    }
}
