import Acquisition
import Frames
import Ledger
import Plate
import Reporting
import Synchronization

/// Where frames come from: the folder watcher in the daemon, a script in tests.
protocol FrameFeed: Sendable {
    /// Starts, once; the events end after `stop()`. The heart beats as long as the feed is alive, with events or without.
    ///
    /// Files that lay there at the start are held back while there is no room for them, so that new files do not wait behind
    /// them.
    func events(
        heartbeat: Heartbeat,
        hasRoomForOld: @escaping @Sendable () -> Bool
    ) throws -> AsyncStream<AcquisitionEvent>

    func stop()

    /// Looks again at a file that could not be read; it is told again as soon as it can be.
    func lookAgain(_ file: FrameFile)

    /// How each watched folder answers.
    var standings: [RootStanding] { get }
}

extension FrameFeed {
    /// Nothing can be looked at again.
    func lookAgain(_ file: FrameFile) {}

    /// There are no folders.
    var standings: [RootStanding] { [] }
}

/// The folders of the configuration, watched.
///
final class FolderFeed: FrameFeed {
    private let configuration: Configuration
    private let ledger: FrameLedger
    private let watcher = Mutex<FolderWatcher?>(nil)

    /// Watches the folders of a configuration.
    ///
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
        let (limits, choice) = (configuration.limits, configuration.planeChoice)
        let watcher = FolderWatcher(
            roots: configuration.watch,
            pattern: try FramePattern(configuration.pattern),
            options: options,
            // Where the ledger has no answer now, it is asked again for each frame.
            known: { [ledger] add in try? ledger.forEachSettled(add) },
            hasRoomForOld: hasRoomForOld,
            isWhole: { Self.wholeness($0, limits: limits, choice: choice) }
        )
        self.watcher.withLock { $0 = watcher }
        return watcher.events
    }

    func stop() {
        watcher.withLock { $0 }?.stop()
    }

    func lookAgain(_ file: FrameFile) {
        watcher.withLock { $0 }?.lookAgain(file)
    }

    var standings: [RootStanding] { watcher.withLock { $0 }?.standings ?? [] }

    /// Whether a file has all its parts.
    ///
    /// Its contents are checked when it is read.
    static func wholeness(_ path: String, limits: TIFFLimits, choice: PlaneChoice = PlaneChoice())
        -> Wholeness
    {
        do {
            switch try TIFFStructure.check(path: path, limits: limits, choice: choice) {
            case .whole: return .whole
            case .partial(let frames, let reason): return .growing(frames: frames, reason)
            case .unfilled(let reason): return .unfilled(reason)
            }
        } catch  where error.isUnreachable {
            return .unreachable(error.description)
        } catch {
            return error.isRetriable ? .incomplete(error.description) : .damaged(error.description)
        }
    }
}
