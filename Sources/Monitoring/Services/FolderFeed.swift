import Acquisition
import Frames
import Ledger
import Reporting
import Synchronization

/// The folders of the configuration, watched.
///
/// The watcher has no sign of life of its own, so the heart rests while there are no events.
final class FolderFeed: FrameFeed {
    private let configuration: Configuration
    private let ledger: FrameLedger
    private let watcher = Mutex<FolderWatcher?>(nil)

    /// Frames that the ledger knows are not told.
    init(_ configuration: Configuration, ledger: FrameLedger) {
        self.configuration = configuration
        self.ledger = ledger
    }

    func events(
        heartbeat: Heartbeat,
        hasRoomForOld: @escaping @Sendable () -> Bool
    ) throws -> AsyncStream<AcquisitionEvent> {
        var options = FolderWatcher.Options()
        options.onlyNew = configuration.onlyNew
        options.poll = configuration.pollAlways
        options.pollInterval = configuration.pollInterval
        options.excluded = [configuration.output.root]
        let limits = configuration.limits
        let watcher = FolderWatcher(
            roots: configuration.watch,
            pattern: try FramePattern(configuration.pattern),
            options: options,
            // Where the ledger has no answer now, each frame is asked for by itself.
            known: { [ledger] add in try? ledger.forEachSettled(add) },
            hasRoomForOld: hasRoomForOld,
            isWhole: { Self.wholeness($0, limits: limits) }
        )
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
