import Acquisition
package import Logging
package import Plate
package import Reporting
package import Rules

/// Every key of the configuration: a row each, in the order of the example file.
///
/// A row holds name, type, range, unit, default, whether a running daemon takes a change at a reload, and one
/// sentence, which documents the declaration. Parsing, defaults, checks, `needsRestart`, the help of the options,
/// `examples/autoqc.yaml` and `docs/configuration.md` follow from the rows; the last two are printed by
/// `autoqc validate --example` and `--keys`. A new key is a new row, and its name in `rows`.
package struct ConfigurationTable: Sendable {
    private typealias Key = ConfigurationKey

    package let model = Key("model", .path, required: "/usr/share/autoqc/complexeye.safetensors")
        .reload(.nextBatch, "The calibrated model file that judges the frames.")
    package let output = Key("output", .path, required: "/var/lib/autoqc/plate")
        .reload(.restart, "Folder for the ledger, the alarm logs, the masks and the score maps.")
    package let outputInsideWatch = Key("output_inside_watch", .flag, default: false)
        .reload(.atOnce, "Allow an output folder inside a watched folder.")
    package let watch = Key("watch", .paths, required: ["/data/microscope"])
        .reload(.restart, "Folders that the microscope writes to; their subfolders are watched too.")
    package let pattern = Key("pattern", .text, default: FramePattern.standard)
        .reload(
            .restart,
            "Pattern of file names, one of \(ReadyPattern.all.map(\.name).joined(separator: ", ")), or your own like "
                + "{run}_{well}_f{frame}.tif<f> (docs/names.md)."
        )
    package let channel = Key("channel", .text, default: "auto")
        .reload(.restart, "Channel to judge, by name or by number from 1. `auto` is the first.")
    package let plane = Key("plane", .plane, default: .middle)
        .reload(
            .restart,
            "z-plane to judge, by number from 1. `auto` is the middle one, `time` takes z for time."
        )
    package let onlyNew = Key("only_new", .flag, default: false)
        .reload(.restart, "Ignore the frames that are in the folders at the start.")

    package let pollAlways = Key("poll.always", .flag, default: false)
        .reload(.restart, "List all watched folders at intervals, as network shares are in any case.")
    package let pollInterval = Key("poll.interval", .time(.milliseconds(100)...), default: .seconds(2))
        .reload(.restart, "Time between two listings of a folder.")
    package let batchFrames = Key("batch.frames", .count(1...64, "frames"), default: 4)
        .reload(.nextBatch, "Most frames of a well that are judged together. No frame waits for others.")
    package let queueNames = Key("queue.names", .count(100...10_000_000, "files"), default: 50_000)
        .reload(.atOnce, "Most files from before the start that wait in memory; more wait on disk.")

    package let hysteresisOnset = Key("hysteresis.onset", .count(1...100, "frames"), default: 2)
        .reload(.nextBatch, "A well turns faulty (ONSET) when this many of its last `of` frames are.")
    package let hysteresisOf = Key("hysteresis.of", .count(1...100, "frames"), default: 3)
        .reload(.nextBatch, "A well is normal again (CLEAR) when none of its last `of` frames is faulty.")
    package let hysteresisEvidence = Key("hysteresis.evidence", .flag, default: true)
        .reload(
            .nextBatch,
            "Compare a well with its own earlier frames. A weak fault that stays then turns it faulty. A frame of a severity below 3.3 counts only if "
                + "the well looked otherwise before."
        )
    package let threshold = Key("threshold", .threshold, default: .calibrated)
        .reload(.nextBatch, "Severity above which a frame is faulty; `calibrated` is the model's own.")
    package let learn = Key("learn", .count(0...1000, "frames"), default: 0)
        .reload(.nextBatch, "Calibrate on the first N frames of each well of a run. 0 turns this off.")
    package let masks = Key("masks", .flag, default: true)
        .reload(.nextBatch, "Write the masks of faulty frames.")
    package let regions = Key("regions", .flag, default: true)
        .reload(.nextBatch, "Write the masks' outlines as GeoJSON beside them.")
    package let scores = Key("scores", .flag, default: true)
        .reload(.nextBatch, "Write the score maps of faulty frames; in a faulty well of every tenth.")
    package let frozenFrames = Key("frozen.frames", .count(0...32, "frames"), default: 5)
        .reload(.nextBatch, "Identical images in a row that are a fault (cause=frozen). 0 for never.")
    package let drift = Key("drift", .flag, default: true)
        .reload(.nextBatch, "Report wells that look different at once (SHIFT) or slowly get worse (DRIFT).")
    package let lensRows = Key("lenses.rows", .count(0...32, "lenses"), default: 4)
        .reload(.nextBatch, "Rows of the lenses that move over the plate together; 0 if unknown.")
    package let lensColumns = Key("lenses.columns", .count(0...32, "lenses"), default: 4)
        .reload(.nextBatch, "Columns of the lenses that move over the plate together; 0 if unknown.")
    package let adviceActions = Key("advice.actions", .choices(), default: Advice.Action.allCases)
        .reload(
            .nextBatch,
            "Advice that the microscope is given in OUT/RUN/advice; [] for none (docs/microscope.md)."
        )
    package let adviceShare = Key("advice.share", .share("of the wells"), default: 0.5)
        .reload(
            .nextBatch,
            "Share of faulty wells from which on advice is given on the whole run; 0 for never."
        )
    package let advicePatience = Key("advice.patience", .count(1...10_000, "frames"), default: 10)
        .reload(
            .nextBatch,
            "Frames after which the advice for a faulty well is to skip it, and for a plate that stays faulty to stop it."
        )
    package let adviceExpires = Key("advice.expires", .time(.seconds(1)...), default: .seconds(3600))
        .reload(.atOnce, "Advice that is not carried out or refused for this long expires.")

    package let limitWidth = Key("limits.width", .count(1...1 << 20, "pixels"), default: 32_768)
        .reload(.restart, "Widest frame; a wider one is refused before it takes memory.")
    package let limitHeight = Key("limits.height", .count(1...1 << 20, "pixels"), default: 32_768)
        .reload(.restart, "Highest frame; a higher one is refused before it takes memory.")
    package let limitPages = Key("limits.pages", .count(1...1 << 20, "pages"), default: 65_536)
        .reload(.restart, "Most pages of one file, which are the frames of a movie.")
    package let limitMemory = Key("limits.memory", .count(1...65_536, "MiB"), default: 1024)
        .reload(.restart, "Most memory that one page may decode to.")
    package let limitDecoding = Key("limits.decoding", .time(.milliseconds(1)...), default: .seconds(20))
        .reload(.restart, "Longest time to read and decode a page; less than the unit's WatchdogSec.")
    package let readAttempts = Key("read.attempts", .count(1...20, "attempts"), default: 5)
        .reload(
            .nextBatch,
            "Attempts to read an incomplete file. The waits between them are 0.25 s, 0.5 s, 1 s and so on."
        )

    package let threads = Key("threads", .count(0...1024, "threads"), default: 0)
        .reload(.restart, "Threads that judge frames; 0 for one for each core.")
    package let precision = Key("precision", .choice(["auto", "f32", "bf16", "int8"]), default: "auto")
        .reload(.nextBatch, "Number format of the network; `auto` is the model's choice, else bf16 or f32.")
    package let stopTimeout = Key("stop_timeout", .time, default: .seconds(30))
        .reload(.atOnce, "After SIGTERM waiting frames are judged this long, the others at the next start.")
    package let stalledAfter = Key("stalled_after", .stall, default: .automatic)
        .reload(
            .atOnce,
            "A well or run that gets no frame for this long is STALLED. `auto` is ten times the usual time between two frames of a well, and at least a minute. 0 for never."
        )

    package let canaryEvery = Key("canary.every", .timeOrNever(.seconds(1)...), default: .seconds(3600))
        .reload(.atOnce, "Time between two rounds of the canary, the detector's live test; 0 for never.")
    package let canaryFrames = Key("canary.frames", .count(1...16, "frames"), default: 4)
        .reload(.nextRound, "Normal frames in a round; each is judged plain and in five faulty copies.")
    package let canaryAlarmBelow = Key("canary.alarm_below", .share("of the faults"), default: 0.7)
        .reload(.nextRound, "CANARY is raised when less than this share was found; 0 for never.")
    package let webListen = Key("web.listen", .text, default: "off")
        .reload(.restart, "Address of the live page, such as 127.0.0.1:8764. `off` for no page.")
    package let webToken = Key("web.token", .text, default: "none")
        .reload(
            .restart,
            "Secret of the page, from 16 characters, or `credential` for /etc/autoqc/NAME.token; required if other machines reach it."
        )
    package let webPlate = Key("web.plate", .choice, default: WebSettings.PlateFormat.auto)
        .reload(.restart, "Wells on the page's map; `auto` is the smallest plate with the wells seen.")
    package let notifyTargets = Key("notify.targets", .targets, default: [])
        .reload(
            .restartOfNotify,
            "Receivers of events, by webhook, mail, mqtt or command (docs/admin.md)."
        )
    package let notifyLimit = Key("notify.limit", .count(1...600, "messages a minute"), default: 10)
        .reload(
            .restartOfNotify,
            "Most messages to each receiver; events beyond that come together in the last one, a digest."
        )
    package let notifyKeep = Key("notify.keep", .time(.seconds(1)...), default: .seconds(168 * 3600))
        .reload(.restartOfNotify, "Time for which an undelivered event is tried again.")
    package let logLevel = Key("log.level", .choice, default: Logger.Level.info)
        .reload(.restart, "Least urgent messages that are logged.")

    var rows: [any ConfigurationRow] {
        [
            model, output, outputInsideWatch, watch, pattern, channel, plane, onlyNew, pollAlways,
            pollInterval, batchFrames,
            queueNames, hysteresisOnset, hysteresisOf, hysteresisEvidence, threshold, learn, masks, regions,
            scores, frozenFrames,
            drift, lensRows, lensColumns, adviceActions, adviceShare, advicePatience, adviceExpires,
            limitWidth, limitHeight, limitPages, limitMemory,
            limitDecoding, readAttempts, threads, precision, stopTimeout, stalledAfter, canaryEvery,
            canaryFrames, canaryAlarmBelow, webListen, webToken, webPlate,
            notifyTargets, notifyLimit, notifyKeep, logLevel,
        ]
    }

    /// The sections, which hold keys and no value of their own.
    var sections: [String] {
        rows.compactMap(\.section).reduce(into: []) { if $0.last != $1 { $0.append($1) } }
    }
}
