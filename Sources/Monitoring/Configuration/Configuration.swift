import Acquisition
import Foundation
package import Frames
package import Reporting
package import Rules

/// What the daemon does, with nothing left open.
///
/// | key | type, unit | default | meaning |
/// |---|---|---|---|
/// | `model` | path | required | model file |
/// | `output` | path | required | ledger, alarm logs, masks, score maps |
/// | `output_inside_watch` | true, false | false | allow `output` within a watched folder |
/// | `watch` | list of paths | required | folders that the microscope writes to, with their subfolders |
/// | `pattern` | text | `{run}_{well}_f{frame}.tif{f}` | how files are named |
/// | `only_new` | true, false | false | leave alone what lies there at the start |
/// | `poll.always` | true, false | false | look through all folders at intervals; network shares are, whatever this says |
/// | `poll.interval` | time | 2s | how often that is |
/// | `batch.frames` | 1 to 64 | 4 | frames of a well that are judged together, at most |
/// | `queue.names` | 100 to 10,000,000 | 50000 | files from before the start that may wait in memory; more wait on disk |
/// | `hysteresis.onset`, `.of` | 1 to 100 | 2, 3 | faulty frames of the last ones that turn a well faulty |
/// | `threshold` | severity | the model's | severity above which a frame is faulty |
/// | `learn` | 0 to 1000 | 0 | first frames of each well that teach what is normal in their run; 0 for none |
/// | `masks` | true, false | true | write masks of faulty frames |
/// | `regions` | true, false | true | write their outlines as GeoJSON |
/// | `scores` | true, false | true | write score maps of faulty frames; of a well that is faulty already, every tenth frame's |
/// | `frozen.frames` | 0 to 32 | 5 | the same image so often in a row is a faulty camera; 0 for never |
/// | `drift` | true, false | true | report wells that creep towards the threshold |
/// | `lenses.rows`, `.columns` | 0 to 32 | 4, 4 | how the lenses stand that move over the plate together; 0 where that is unknown |
/// | `stop.share` | 0 to 1 | 0.5 | share of faulty wells from which on `STOP-ADVISED` is there; 0 for never |
/// | `limits.width`, `.height` | pixels | 32768 | largest frame |
/// | `limits.pages` | pages | 65536 | longest movie |
/// | `limits.memory` | MiB | 1024 | most that one page may decode to |
/// | `limits.decoding` | time | 20s | longest that reading and decoding one page may take; less than the watchdog's interval |
/// | `read.attempts` | 1 to 20 | 5 | how often an unfinished file is tried, 0.25 s, 0.5 s, ... apart |
/// | `threads` | 0 to 1024 | 0 | threads that judge, each a well at a time; 0 for all cores |
/// | `precision` | auto, f32, bf16, int8 | auto | what the network multiplies; auto is what the model prefers, else bf16 where the CPU has it, else f32 |
/// | `stop_timeout` | time | 30s | how long the queue may be worked off at the end |
/// | `stalled_after` | time | 0 | silence of a well that is reported; 0 for never |
/// | `canary.every` | time | 1h | how often faults on copies of live normal frames prove that they are found, 1s at least; 0 for never |
/// | `canary.frames` | 1 to 16 | 4 | frames copied in a round; each copy has one of five classes of fault |
/// | `canary.alarm_below` | 0 to 1 | 0.7 | share of faults found below which there is an alarm; 0 for never |
/// | `web.listen` | address, off | off | where the live page listens, for example `127.0.0.1:8764` |
/// | `web.token` | text | none | what a browser has to bring; required for an address that other machines reach |
/// | `web.plate` | auto, 96, 384, 1536 | auto | wells of the map; auto takes the smallest plate with the wells seen |
/// | `log.level` | level | info | trace, debug, info, notice, warning, error or critical |
///
/// Times carry their unit: `500ms`, `2s`, `10m`, `1h`. Relative paths in a file are relative to its folder.
package struct Configuration: Sendable, Equatable {
    /// `model`, absolute.
    package let model: String
    /// `output`, absolute.
    package let output: OutputTree
    /// `watch`, absolute, without repetition.
    package let watch: [String]
    /// `pattern`.
    package let pattern: String
    /// `only_new`.
    package let onlyNew: Bool
    /// `poll.always`.
    package let pollAlways: Bool
    /// `poll.interval`.
    package let pollInterval: Duration
    /// `batch.frames`.
    package let batchFrames: Int
    /// `queue.names`.
    package let queueNames: Int
    /// `hysteresis`.
    package let hysteresis: StateHysteresis.Rule
    /// `threshold`; `nil` for the model's own.
    package let threshold: Double?
    /// `learn`; 0 for not.
    package let learn: Int
    /// `masks`.
    package let masks: Bool
    /// `regions`.
    package let regions: Bool
    /// `scores`.
    package let scores: Bool
    /// `frozen.frames`.
    package let frozenFrames: Int
    /// `drift`.
    package let drift: Bool
    /// `lenses`.
    package let plateRules: PlateRules
    /// `stop.share`.
    package let stopShare: Double
    /// `limits`.
    package let limits: TIFFLimits
    /// `read.attempts`.
    package let readAttempts: Int
    /// `threads`; 0 for all cores.
    package let threads: Int
    /// `precision`.
    package let precision: String
    /// `stop_timeout`.
    package let stopTimeout: Duration
    /// `stalled_after`; `nil` for never.
    package let stalledAfter: Duration?
    /// `canary`.
    package let canary: CanarySettings
    /// `web`; `nil` for no live page.
    package let web: WebSettings?
    /// `log.level`, a level's name in swift-log.
    package let logLevel: String

    /// How files are named unless the configuration says otherwise.
    package static let defaultPattern = "{run}_{well}_f{frame}.tif{f}"

    /// How many threads judge.
    var judgingThreads: Int { threads > 0 ? threads : ProcessInfo.processInfo.activeProcessorCount }

    static let precisions = ["auto", "f32", "bf16", "int8"]
    static let logLevels = ["trace", "debug", "info", "notice", "warning", "error", "critical"]

    /// Reads a file, lets `overrides` from the command line win, and resolves both.
    package static func load(
        path: String,
        overrides: ConfigurationSettings = ConfigurationSettings()
    ) throws(ConfigurationError) -> Configuration {
        let url = URL(filePath: path)
        do throws(ConfigurationError) {
            let file = ConfigurationFile(yaml: try read(url), folder: url.deletingLastPathComponent().path)
            let settings = overrides.over(file.settings)
            try ConfigurationError.refuse(file.mistakes + file.located(contradictions(in: settings)))
            return try Configuration(settings)
        } catch {
            throw error.located(in: path)
        }
    }

    private static func read(_ url: URL) throws(ConfigurationError) -> String {
        do {
            return try String(contentsOf: url, encoding: .utf8)
        } catch {
            throw ConfigurationError(
                problem: "the file cannot be read (\(error.localizedDescription))",
                remedy: "check that it is there, readable, and UTF-8"
            )
        }
    }

    /// Fills in the defaults and checks what belongs together; touches no file but to follow links.
    package init(_ settings: ConfigurationSettings) throws(ConfigurationError) {
        try ConfigurationError.refuse(Self.contradictions(in: settings))
        model = try Self.absolute(Self.required(settings.model, "model", "a model file"))
        let root = try Self.absolute(Self.required(settings.output, "output", "a folder for the results"))
        let folders = try Self.required(settings.watch, "watch", "the folders to watch").map(Self.absolute)
        output = OutputTree(root: root)
        watch = folders.enumerated().filter { !folders[..<$0.offset].contains($0.element) }.map(\.element)
        pattern = settings.pattern ?? Self.defaultPattern
        onlyNew = settings.onlyNew ?? false
        pollAlways = settings.pollAlways ?? false
        pollInterval = settings.pollInterval ?? .seconds(2)
        batchFrames = settings.batchFrames ?? 4
        queueNames = settings.queueNames ?? 50_000
        hysteresis = try Self.hysteresis(settings)
        threshold = settings.threshold?.severity
        learn = try Self.learn(settings)
        masks = settings.masks ?? true
        regions = settings.regions ?? true
        scores = settings.scores ?? true
        frozenFrames = settings.frozenFrames ?? 5
        drift = settings.drift ?? true
        plateRules = PlateRules(lensRows: settings.lensRows ?? 4, lensColumns: settings.lensColumns ?? 4)
        stopShare = settings.stopShare ?? 0.5
        limits = Self.limits(settings)
        readAttempts = settings.readAttempts ?? 5
        threads = settings.threads ?? 0
        precision = settings.precision ?? "auto"
        stopTimeout = settings.stopTimeout ?? .seconds(30)
        stalledAfter = settings.stalledAfter.flatMap { $0 > .zero ? $0 : nil }
        canary = CanarySettings(settings)
        web = try Self.web(settings)
        logLevel = settings.logLevel ?? "info"
    }
}
