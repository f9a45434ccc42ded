import Plate
import Synchronization

/// Which files were told with which content as which frame, or known before the start; shared by the threads of all roots of a
/// watcher.
final class ToldFrames: Sendable {
    private struct Told: Hashable {
        let path: ExactPath
        let identity: FileIdentity
        let frame: FrameID
        /// Whether it was told so long after its last change that another write would show in its times.
        var isCertain = false
    }

    private let frames: Mutex<RecentSet<Told>>
    private let known: Mutex<FolderWatcher.Known?>

    /// Will hold what is known, once it is loaded.
    init(generation: Int, known: @escaping FolderWatcher.Known) {
        frames = Mutex(RecentSet<Told>(generation: generation))
        self.known = Mutex(known)
    }

    /// Takes in what is known; whoever comes second waits for the first.
    func load() {
        known.withLock { known in
            known? { source, frame in
                guard let identity = source.identity else { return }
                insert(ExactPath(source.absolutePath), identity, frame)
            }
            known = nil
        }
    }

    func contains(_ path: ExactPath, _ identity: FileIdentity, _ frame: FrameID, isCertain: Bool = false)
        -> Bool
    {
        let told = Told(path: path, identity: identity, frame: frame, isCertain: isCertain)
        return frames.withLock { $0.contains(told) }
    }

    func insert(_ path: ExactPath, _ identity: FileIdentity, _ frame: FrameID, isCertain: Bool = false) {
        var told = Told(path: path, identity: identity, frame: frame)
        frames.withLock { frames in
            frames.insert(told)
            guard isCertain else { return }
            told.isCertain = true
            frames.insert(told)
        }
    }

    func remove(_ path: ExactPath, _ identity: FileIdentity, _ frame: FrameID) {
        var told = Told(path: path, identity: identity, frame: frame)
        frames.withLock { frames in
            frames.remove(told)
            told.isCertain = true
            frames.remove(told)
        }
    }
}

/// Remembers the latest values that went through, in bounded memory.
///
/// Keeps 64-bit hashes in two generations; when the younger is full it becomes the older and the oldest half
/// is forgotten. A million hashes a generation cost at most about 2 x 16 MiB and, at eight frames a second,
/// reach back a day and a half. What is forgotten and still lies there is reported again after a rescan:
/// whoever keeps the ledger recognises it. Two values share a hash once in 10^13 questions.
struct RecentSet<Value: Hashable> {
    private var young: Set<Int> = []
    private var old: Set<Int> = []
    private let generation: Int

    /// An empty set that remembers between one and two times so many values.
    init(generation: Int = 1 << 20) {
        precondition(generation > 0, "a generation of \(generation) values")
        self.generation = generation
    }

    func contains(_ value: Value) -> Bool {
        young.contains(value.hashValue) || old.contains(value.hashValue)
    }

    /// Remembers the value; `false` where it was remembered already.
    @discardableResult
    mutating func insert(_ value: Value) -> Bool {
        guard !contains(value) else { return false }
        if young.count >= generation {
            old = young
            young = []
        }
        young.insert(value.hashValue)
        return true
    }

    mutating func remove(_ value: Value) {
        young.remove(value.hashValue)
        old.remove(value.hashValue)
    }
}
