/// What a file or the command line says, before defaults: `nil` where it says nothing.
///
/// The keys, their types, units and defaults are those of `Configuration`.
package struct ConfigurationSettings: Sendable, Equatable {
    /// `model`: path of the model file.
    package var model: String?
    /// `output`: path of the output folder.
    package var output: String?
    /// `output_inside_watch`: allow the output folder to lie in a watched one.
    package var outputInsideWatch: Bool?
    /// `watch`: paths of the watched folders.
    package var watch: [String]?
    /// `pattern`: how files are named.
    package var pattern: String?
    /// `only_new`: leave alone what lies there at the start.
    package var onlyNew: Bool?
    /// `poll.always`: look through local folders, too.
    package var pollAlways: Bool?
    /// `poll.interval`: how often folders are looked through that give no events.
    package var pollInterval: Duration?
    /// `batch.frames`: frames of a well that are judged together, at most.
    package var batchFrames: Int?
    /// `queue.names`: files that may wait in memory.
    package var queueNames: Int?
    /// `hysteresis.onset`: faulty frames that turn a well faulty.
    package var hysteresisOnset: Int?
    /// `hysteresis.of`: judged frames that are looked at.
    package var hysteresisOf: Int?
    /// `threshold`: severity above which a frame is faulty.
    package var threshold: SeverityThreshold?
    /// `learn`: first frames of each well that teach what is normal in their run.
    package var learn: Int?
    /// `masks`: write masks of faulty frames.
    package var masks: Bool?
    /// `regions`: write outlines beside the masks.
    package var regions: Bool?
    /// `scores`: write score maps beside the masks.
    package var scores: Bool?
    /// `frozen.frames`: how often in a row the same image is a fault.
    package var frozenFrames: Int?
    /// `drift`: report wells that creep towards the threshold.
    package var drift: Bool?
    /// `lenses.rows`: rows of lenses that move together.
    package var lensRows: Int?
    /// `lenses.columns`: columns of lenses that move together.
    package var lensColumns: Int?
    /// `stop.share`: share of faulty wells from which on stopping is advised.
    package var stopShare: Double?
    /// `limits.width`: widest frame in pixels.
    package var limitWidth: Int?
    /// `limits.height`: highest frame in pixels.
    package var limitHeight: Int?
    /// `limits.pages`: most pages of a file.
    package var limitPages: Int?
    /// `limits.memory`: most MiB that one page may decode to.
    package var limitMemory: Int?
    /// `limits.decoding`: longest time that one page may take.
    package var limitDecoding: Duration?
    /// `read.attempts`: how often an unfinished file is tried.
    package var readAttempts: Int?
    /// `threads`: threads that judge.
    package var threads: Int?
    /// `precision`.
    package var precision: String?
    /// `stop_timeout`: how long the queue may be worked off at the end.
    package var stopTimeout: Duration?
    /// `stalled_after`: silence of a well that is reported; zero for never.
    package var stalledAfter: Duration?
    /// `canary.every`: how often the detector is tested; zero for never.
    package var canaryEvery: Duration?
    /// `canary.frames`: frames that are copied for it.
    package var canaryFrames: Int?
    /// `canary.alarm_below`: share of faults found below which there is an alarm.
    package var canaryAlarmBelow: Double?
    /// `web.listen`: where the live page listens.
    package var webListen: String?
    /// `web.token`: what a browser has to bring.
    package var webToken: String?
    /// `web.plate`: how many wells the plate has.
    package var webPlate: String?
    /// `log.level`: the least urgent lines that are logged.
    package var logLevel: String?

    /// Says nothing.
    package init() {}

    /// These settings where they say something, otherwise the others.
    package func over(_ other: ConfigurationSettings) -> ConfigurationSettings {
        var merged = other
        func take<Value>(_ field: WritableKeyPath<ConfigurationSettings, Value?>) {
            merged[keyPath: field] = self[keyPath: field] ?? other[keyPath: field]
        }
        take(\.model)
        take(\.output)
        take(\.outputInsideWatch)
        take(\.watch)
        take(\.pattern)
        take(\.onlyNew)
        take(\.pollAlways)
        take(\.pollInterval)
        take(\.batchFrames)
        take(\.queueNames)
        take(\.hysteresisOnset)
        take(\.hysteresisOf)
        take(\.threshold)
        take(\.learn)
        take(\.masks)
        take(\.regions)
        take(\.scores)
        take(\.frozenFrames)
        take(\.drift)
        take(\.lensRows)
        take(\.lensColumns)
        take(\.stopShare)
        take(\.limitWidth)
        take(\.limitHeight)
        take(\.limitPages)
        take(\.limitMemory)
        take(\.limitDecoding)
        take(\.readAttempts)
        take(\.threads)
        take(\.precision)
        take(\.stopTimeout)
        take(\.stalledAfter)
        take(\.canaryEvery)
        take(\.canaryFrames)
        take(\.canaryAlarmBelow)
        take(\.webListen)
        take(\.webToken)
        take(\.webPlate)
        take(\.logLevel)
        return merged
    }
}
