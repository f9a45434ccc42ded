import Acquisition
import Foundation
import Frames
import Reporting
import Rules

extension Configuration {
    /// Checks what the file system has to say: the model is there, the folders are, the output can be written.
    ///
    /// The checks of `autoqc validate`; makes the output folder if it is missing. Throws all that is wrong at once.
    package func check() throws(ConfigurationError) {
        var mistakes: [ConfigurationError] = []
        do throws(ConfigurationError) { try checkModel() } catch { mistakes.append(error) }
        for folder in watch {
            do throws(ConfigurationError) { try Self.checkFolder(folder) } catch { mistakes.append(error) }
        }
        do throws(ConfigurationError) { try checkOutput() } catch { mistakes.append(error) }
        try ConfigurationError.refuse(mistakes)
    }

    private func checkModel() throws(ConfigurationError) {
        guard FileManager.default.isReadableFile(atPath: model) else {
            throw ConfigurationError(
                key: "model",
                problem: "\(model) is not there or not readable",
                remedy: "train a model with `autoqc train`, or correct the path"
            )
        }
    }

    private static func checkFolder(_ folder: String) throws(ConfigurationError) {
        var isFolder: ObjCBool = false
        let exists = unsafe FileManager.default.fileExists(atPath: folder, isDirectory: &isFolder)
        guard exists, isFolder.boolValue, FileManager.default.isReadableFile(atPath: folder) else {
            throw ConfigurationError(
                key: "watch",
                problem: "\(folder) is not a folder that can be read",
                remedy: "make it, mount it, or let this user read it"
            )
        }
    }

    private func checkOutput() throws(ConfigurationError) {
        do {
            try output.probe()
        } catch {
            throw ConfigurationError(
                key: "output",
                problem: "cannot \(error.operation) \(error.path) (\(error.detail))",
                remedy: error.code == .noSpace
                    ? "free some space there" : "let this user write there, or choose another folder"
            )
        }
    }

    /// What is missing in the settings, and what in them does not go together.
    static func contradictions(in settings: ConfigurationSettings) -> [ConfigurationError] {
        var mistakes: [ConfigurationError] = []
        do throws(ConfigurationError) { _ = try required(settings.model, "model", "a model file") } catch {
            mistakes.append(error)
        }
        do throws(ConfigurationError) {
            _ = try required(settings.output, "output", "a folder for the results")
        } catch { mistakes.append(error) }
        do throws(ConfigurationError) { try checkFolders(settings) } catch { mistakes.append(error) }
        do throws(ConfigurationError) { _ = try hysteresis(settings) } catch { mistakes.append(error) }
        do throws(ConfigurationError) { _ = try web(settings) } catch { mistakes.append(error) }
        do throws(ConfigurationError) { try checkPattern(settings) } catch { mistakes.append(error) }
        return mistakes
    }

    private static func checkFolders(_ settings: ConfigurationSettings) throws(ConfigurationError) {
        let folders = try required(settings.watch, "watch", "the folders to watch").map(absolute)
        guard !folders.isEmpty else {
            throw ConfigurationError(
                key: "watch",
                problem: "the list is empty",
                remedy: "name a folder to watch"
            )
        }
        guard let output = settings.output, settings.outputInsideWatch != true else { return }
        try checkApart(output: absolute(output), watch: folders)
    }

    static func required<Value>(
        _ value: Value?,
        _ key: String,
        _ what: String
    ) throws(ConfigurationError) -> Value {
        guard let value else {
            throw ConfigurationError(key: key, problem: "it is missing", remedy: "name \(what)")
        }
        return value
    }

    static func absolute(_ path: String) -> String {
        let path = URL(filePath: path).standardizedFileURL.path
        return path.count > 1 && path.hasSuffix("/") ? String(path.dropLast()) : path
    }

    static func hysteresis(_ settings: ConfigurationSettings) throws(ConfigurationError)
        -> StateHysteresis.Rule
    {
        let onset = settings.hysteresisOnset ?? min(2, settings.hysteresisOf ?? 2)
        let window = settings.hysteresisOf ?? max(3, onset)
        guard onset <= window else {
            throw ConfigurationError(
                key: "hysteresis.onset",
                problem: "\(onset) faulty frames cannot be among \(window)",
                remedy: "write at most the number of `hysteresis.of`"
            )
        }
        return StateHysteresis.Rule(onset: onset, window: window)
    }

    /// What a run teaches brings a threshold with it.
    static func learn(_ settings: ConfigurationSettings) throws(ConfigurationError) -> Int {
        let frames = settings.learn ?? 0
        guard frames == 0 || settings.threshold?.severity == nil else {
            throw ConfigurationError(
                key: "learn",
                problem: "a threshold of your own and one that the run teaches cannot both hold",
                remedy: "write `threshold: calibrated`, or `learn: 0`"
            )
        }
        return frames
    }

    static func limits(_ settings: ConfigurationSettings) -> TIFFLimits {
        var limits = TIFFLimits.default
        limits.maximumWidth = settings.limitWidth ?? limits.maximumWidth
        limits.maximumHeight = settings.limitHeight ?? limits.maximumHeight
        limits.maximumPages = settings.limitPages ?? limits.maximumPages
        limits.maximumDecodedBytes = settings.limitMemory.map { $0 << 20 } ?? limits.maximumDecodedBytes
        limits.maximumDecodingTime = settings.limitDecoding ?? limits.maximumDecodingTime
        return limits
    }

    /// `off` and `none` say the defaults aloud.
    static func web(_ settings: ConfigurationSettings) throws(ConfigurationError) -> WebSettings? {
        guard let listen = settings.webListen, listen != "off" else { return nil }
        do throws(WebSettingsError) {
            return try WebSettings(
                listen: listen,
                token: settings.webToken.flatMap { $0 == "none" ? nil : $0 },
                plate: settings.webPlate.flatMap(WebSettings.PlateFormat.init(rawValue:)) ?? .auto
            )
        } catch {
            throw ConfigurationError(
                key: error.isAboutToken ? "web.token" : "web.listen",
                problem: error.problem,
                remedy: error.remedy
            )
        }
    }

    /// The daemon must not find its own masks as frames.
    private static func checkApart(output: String, watch: [String]) throws(ConfigurationError) {
        let target = resolved(output)
        for folder in watch {
            let source = resolved(folder)
            guard target == source || target.hasPrefix(source == "/" ? "/" : source + "/") else { continue }
            throw ConfigurationError(
                key: "output",
                problem: "\(output) lies within the watched folder \(folder)",
                remedy: "choose a folder outside, or set `output_inside_watch: true`"
            )
        }
    }

    /// The path with its links followed as far as it exists.
    private static func resolved(_ path: String) -> String {
        var url = URL(filePath: path)
        var missing: [String] = []
        while !FileManager.default.fileExists(atPath: url.path), url.path != "/" {
            missing.insert(url.lastPathComponent, at: 0)
            url.deleteLastPathComponent()
        }
        return missing.reduce(url.resolvingSymlinksInPath()) { $0.appending(path: $1) }.path
    }

    private static func checkPattern(_ settings: ConfigurationSettings) throws(ConfigurationError) {
        do {
            _ = try FramePattern(settings.pattern ?? defaultPattern)
        } catch {
            throw ConfigurationError(
                key: "pattern",
                problem: "\(error)",
                remedy: "write it like `\(defaultPattern)`"
            )
        }
    }
}
