import Files
package import Frames
package import Plate
package import Reporting
package import Rules

/// What the daemon does, with nothing left open: a value for every key of `Configuration.table`.
///
/// `configuration.batchFrames` is the value of `batch.frames`. The members below are values in the form in which the daemon
/// uses them.
@dynamicMemberLookup
package struct Configuration: Sendable, Equatable {
    /// Every key there is.
    package static let table = ConfigurationTable()

    /// Settled, and without a mistake.
    private var settings: ConfigurationSettings

    /// How much of the file system is looked at when a configuration is read.
    package enum FileChecks: Sendable {
        /// None of it.
        case nothing
        /// The model: the daemon cannot begin without it. Folders may come later, so it waits for them.
        case model
        /// The model, the watched folders and the output, as they should be before a start.
        case everything
    }

    /// Reads a file, lets `overrides` from the command line win, and checks both.
    ///
    /// Without `path` the overrides are all there is. Throws everything that is wrong at once.
    package static func load(
        path: String?,
        overrides: ConfigurationSettings = ConfigurationSettings(),
        checking checks: FileChecks = .nothing
    ) throws(ConfigurationError) -> Configuration {
        let file = ConfigurationFile(path: path)
        let settings = overrides.over(file.settings).settled
        let mistakes = settings.mistakes + settings.fileMistakes(checks)
        try ConfigurationError.refuse(
            file.mistakes + mistakes.compactMap { file.located($0, overrides: overrides) }
        )
        return Configuration(settled: settings)
    }

    /// Fills in the defaults and checks what belongs together; touches no file but to follow links.
    package init(_ settings: ConfigurationSettings) throws(ConfigurationError) {
        let settings = settings.settled
        try ConfigurationError.refuse(settings.mistakes)
        self.init(settled: settings)
    }

    private init(settled settings: ConfigurationSettings) { self.settings = settings }

    /// The value of a key.
    package subscript<Value>(
        dynamicMember key: KeyPath<ConfigurationTable, ConfigurationKey<Value>>
    ) -> Value {
        settings.value(key)
    }

    /// Whether all values are the same, given or by default.
    package static func == (one: Configuration, other: Configuration) -> Bool {
        !table.rows.contains { $0.differs(one.settings, other.settings) }
    }

    /// `output`, absolute.
    package var output: OutputTree { OutputTree(root: settings.value(\.output)) }
    /// `hysteresis`.
    package var hysteresis: StateHysteresis.Rule {
        StateHysteresis.Rule(onset: self.hysteresisOnset, window: self.hysteresisOf)
    }
    /// `threshold`; `nil` for the model's own.
    package var threshold: Double? { settings.value(\.threshold).severity }
    /// `channel` and `plane`.
    package var planeChoice: PlaneChoice {
        PlaneChoice(channel: PlaneChoice.channel(self.channel), plane: self.plane)
    }
    /// `lenses`.
    package var plateRules: PlateRules {
        PlateRules(lensRows: self.lensRows, lensColumns: self.lensColumns)
    }
    /// `advice`.
    package var adviceRules: AdviceRules {
        AdviceRules(
            actions: Set(self.adviceActions),
            share: self.adviceShare,
            patience: self.advicePatience
        )
    }
    /// `limits`.
    package var limits: TIFFLimits {
        TIFFLimits(
            maximumWidth: self.limitWidth,
            maximumHeight: self.limitHeight,
            maximumPages: self.limitPages,
            maximumDecodedBytes: self.limitMemory << 20,
            maximumDecodingTime: self.limitDecoding
        )
    }
    /// `canary`.
    var canary: CanarySettings { CanarySettings(settings) }
    /// `web`; `nil` for no live page.
    package var web: WebSettings? { try? settings.web() }
    var judgingThreads: Int {
        self.threads > 0 ? self.threads : Processors.usable
    }
}

extension Configuration {
    /// The keys whose change a daemon that was started with `old` does not take at a reload.
    func needsRestart(after old: Configuration) -> [String] {
        Self.table.rows.filter { $0.effect == .restart && $0.differs(settings, old.settings) }.map(\.name)
    }

    /// What a daemon that was started with `old` does after a reload: keys that need a restart keep their value.
    func reloaded(after old: Configuration) -> Configuration {
        var merged = self
        for row in Self.table.rows where row.effect == .restart {
            row.copy(from: old.settings, to: &merged.settings)
        }
        return merged
    }
}

/// How the daemon tests itself: `canary`.
struct CanarySettings: Sendable, Equatable {
    /// `nil` for never.
    let every: Duration?
    let frames: Int
    /// 0 for never.
    let alarmBelow: Double

    init(_ settings: ConfigurationSettings) {
        let time = settings.value(\.canaryEvery)
        every = time > .zero ? time : nil
        frames = settings.value(\.canaryFrames)
        alarmBelow = settings.value(\.canaryAlarmBelow)
    }
}
