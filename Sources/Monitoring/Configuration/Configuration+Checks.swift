import Acquisition
import Foundation
import Plate
import Reporting
import Rules

extension ConfigurationSettings {
    /// The same with absolute paths, no folder twice, and the figure of `hysteresis` that follows from the other one.
    var settled: ConfigurationSettings {
        var settled = self
        settled.model = self.model.map(Self.absolute)
        settled.output = self.output.map(Self.absolute)
        settled.watch = self.watch.map { folders in
            folders.map(Self.absolute).reduce(into: []) { if !$0.contains($1) { $0.append($1) } }
        }
        let (onset, window) = (value(\.hysteresisOnset), value(\.hysteresisOf))
        settled.hysteresisOnset = self.hysteresisOnset ?? min(onset, window)
        settled.hysteresisOf = self.hysteresisOf ?? max(onset, window)
        return settled
    }

    /// What is missing, out of range, or contradicts another key; touches no file but to follow links.
    var mistakes: [ConfigurationError] {
        let contradictions = [
            outputBesideFrames, onsetBeyondWindow, thresholdOfTwoSources, unusablePattern, unusablePage,
        ]
        return Configuration.table.rows.compactMap { $0.mistake(in: self) } + contradictions.compactMap { $0 }
    }

    /// What the file system lacks, as far as it is looked at.
    ///
    /// With `.everything` it makes the output folder if that is missing.
    func fileMistakes(_ checks: Configuration.FileChecks) -> [ConfigurationError] {
        let mistakes: [ConfigurationError?] =
            switch checks {
            case .nothing: []
            case .model: [missingModel]
            case .everything: [missingModel] + (self.watch ?? []).map(missingFolder) + [unwritableOutput()]
            }
        return mistakes.compactMap { $0 }
    }

    /// What `web` says; `nil` for no page.
    func web() throws(WebSettingsError) -> WebSettings? {
        let (listen, token) = (value(\.webListen), value(\.webToken))
        guard listen != "off" else { return nil }
        return try WebSettings(listen: listen, token: token == "none" ? nil : token, plate: value(\.webPlate))
    }

    private static func absolute(_ path: String) -> String {
        guard !path.isEmpty else { return path }
        let path = URL(filePath: path).standardizedFileURL.path
        return path.count > 1 && path.hasSuffix("/") ? String(path.dropLast()) : path
    }
}

/// Contradictions.
extension ConfigurationSettings {
    /// The daemon must not find its own masks as frames.
    private var outputBesideFrames: ConfigurationError? {
        guard let output = self.output, let watch = self.watch, !value(\.outputInsideWatch) else {
            return nil
        }
        let target = Self.resolved(output)
        let around = watch.first { folder in
            // One that does not answer is taken by its name.
            let source = Patience.ask { Self.resolved(folder) } ?? folder
            return ExactPath(target).isInside(ExactPath(source))
        }
        return around.map { folder in
            ConfigurationError(
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

    private var onsetBeyondWindow: ConfigurationError? {
        let onset = value(\.hysteresisOnset)
        guard onset > value(\.hysteresisOf) else { return nil }
        return ConfigurationError(
            key: "hysteresis.onset",
            problem: "\(onset) faulty frames cannot be among \(value(\.hysteresisOf))",
            remedy: "write at most the number of `hysteresis.of`"
        )
    }

    /// A calibration on a run's first frames brings a threshold with it.
    private var thresholdOfTwoSources: ConfigurationError? {
        guard value(\.learn) > 0, value(\.threshold) != .calibrated else { return nil }
        return ConfigurationError(
            key: "learn",
            problem: "a threshold of your own and one that is calibrated on the run exclude each other",
            remedy: "write `threshold: calibrated`, or `learn: 0`"
        )
    }

    private var unusablePattern: ConfigurationError? {
        do {
            _ = try FramePattern(value(\.pattern))
            return nil
        } catch {
            return ConfigurationError(
                key: "pattern",
                problem: "\(error)",
                remedy: "write it like `{run}_{well}_f{frame}.tif<f>`, or name a ready one: "
                    + ReadyPattern.all.map(\.name).joined(separator: ", ")
            )
        }
    }

    private var unusablePage: ConfigurationError? {
        do throws(WebSettingsError) {
            _ = try web()
            return nil
        } catch {
            return ConfigurationError(
                key: error.isAboutToken ? "web.token" : "web.listen",
                problem: error.problem,
                remedy: error.remedy
            )
        }
    }
}

/// What the file system lacks.
extension ConfigurationSettings {
    private var missingModel: ConfigurationError? {
        guard let model = self.model, !FileManager.default.isReadableFile(atPath: model) else { return nil }
        return ConfigurationError(
            key: "model",
            problem: "\(model) is not there or not readable",
            remedy: "train a model with `autoqc train`, or correct the path"
        )
    }

    private func missingFolder(_ folder: String) -> ConfigurationError? {
        let isReadable = Patience.ask {
            var isFolder: ObjCBool = false
            let exists = unsafe FileManager.default.fileExists(atPath: folder, isDirectory: &isFolder)
            return exists && isFolder.boolValue && FileManager.default.isReadableFile(atPath: folder)
        }
        guard let isReadable else {
            return ConfigurationError(
                key: "watch",
                problem: "\(folder) does not answer",
                remedy: "look at its server; `watch` starts without it and takes it up when it answers"
            )
        }
        guard !isReadable else { return nil }
        return ConfigurationError(
            key: "watch",
            problem: "\(folder) is not a folder that can be read",
            remedy: "make it, mount it, or let this user read it"
        )
    }

    private func unwritableOutput() -> ConfigurationError? {
        // A folder that is refused already is not made.
        guard let output = self.output, outputBesideFrames == nil else { return nil }
        do throws(OutputError) {
            try OutputTree(root: output).probe()
            return nil
        } catch {
            return ConfigurationError(
                key: "output",
                problem: "cannot \(error.operation) \(error.path) (\(error.detail))",
                remedy: error.remedy
            )
        }
    }
}
