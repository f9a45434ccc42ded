import Acquisition
import Frames
import Reporting
import Synchronization

/// The folders of the configuration, watched.
///
/// The watcher has no sign of life of its own, so the heart rests while there are no events.
final class FolderFeed: FrameFeed {
    private let configuration: Configuration
    private let watcher = Mutex<FolderWatcher?>(nil)

    init(_ configuration: Configuration) {
        self.configuration = configuration
    }

    func events(heartbeat: Heartbeat) throws -> AsyncStream<AcquisitionEvent> {
        var options = FolderWatcher.Options()
        options.onlyNew = configuration.onlyNew
        options.excluded = [configuration.output.root]
        let limits = configuration.limits
        let watcher = FolderWatcher(
            roots: configuration.watch,
            pattern: try FramePattern(configuration.pattern),
            options: options
        ) { path in
            Self.wholeness(path, limits: limits)
        }
        self.watcher.withLock { $0 = watcher }
        return watcher.events
    }

    func stop() {
        watcher.withLock { $0 }?.stop()
    }

    /// Whether a file has all its parts; what only its reader can judge is left to the reader.
    static func wholeness(_ path: String, limits: TIFFLimits) -> Wholeness {
        do {
            try TIFFStructure.check(path: path, limits: limits)
            return .whole
        } catch {
            return error.isRetriable ? .incomplete(error.description) : .damaged(error.description)
        }
    }
}
