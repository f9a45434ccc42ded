import Foundation
import Plate

@testable import Acquisition

/// Keeps what a watcher tells and lets a test wait for it.
actor EventLog {
    /// What did not come in time.
    struct TooLate: Error, CustomStringConvertible {
        let description: String
    }

    /// All that was told up to now.
    private(set) var state = State()
    private var waiters: [Int: (isDone: @Sendable (EventLog.State) -> Bool, resume: (Bool) -> Void)] = [:]
    private var nextWaiter = 0

    /// What a condition may look at.
    struct State: Sendable {
        var events: [AcquisitionEvent] = []
        var frames: [FrameFile] = []
        var hasEnded = false

        mutating func add(_ event: AcquisitionEvent) {
            events.append(event)
            if case .frame(let file) = event { frames.append(file) }
        }

        /// Places in time of the frames that were told, whatever their files' names.
        var indices: Set<Int> { Set(frames.map(\.frame.index)) }
        var names: [String] { frames.map(\.source.path).sorted() }
        var skipped: [String: String] {
            let pairs = events.compactMap { event -> (String, String)? in
                if case .skipped(let path, let reason) = event { (path, reason) } else { nil }
            }
            return Dictionary(pairs) { _, new in new + " (told twice)" }
        }
        var abandoned: [FrameFile] {
            events.compactMap { if case .abandoned(let file, _) = $0 { file } else { nil } }
        }
        var listed: Int? {
            events.compactMap { if case .listed(let count) = $0 { count } else { nil } }.first
        }
        var degraded: [String] {
            events.compactMap { if case .degraded(let reason) = $0 { reason } else { nil } }
        }
        var overflows: [Int] {
            events.compactMap { if case .overflow(let count) = $0 { count } else { nil } }
        }
    }

    /// Reads a watcher's events to their end.
    init(_ watcher: FolderWatcher) {
        let stream = watcher.events
        Task {
            for await event in stream { await self.add(event) }
            await self.end()
        }
    }

    private func add(_ event: AcquisitionEvent) {
        state.add(event)
        wake()
    }

    private func end() {
        state.hasEnded = true
        wake()
    }

    private func wake() {
        for (id, waiter) in waiters where waiter.isDone(state) {
            waiters[id] = nil
            waiter.resume(true)
        }
    }

    private func give(up id: Int) {
        waiters.removeValue(forKey: id)?.resume(false)
    }

    /// Waits until the condition holds, at most for half a minute.
    @discardableResult
    func wait(for what: String, until isDone: @escaping @Sendable (State) -> Bool) async throws -> State {
        guard !isDone(state) else { return state }
        nextWaiter += 1
        let id = nextWaiter
        let deadline = Task {
            // By turns, as tests that compute can keep everything else from running for minutes.
            for _ in 0..<30 { try await Task.sleep(for: .seconds(1)) }
            self.give(up: id)
        }
        let inTime = await withCheckedContinuation { continuation in
            waiters[id] = (isDone, { continuation.resume(returning: $0) })
        }
        deadline.cancel()
        guard inTime else {
            throw TooLate(
                description: "no \(what) within 30 turns of a second; last \(state.events.suffix(5))"
            )
        }
        return state
    }
}

/// A folder under watch, and the means to write into it.
struct WatchedFolder {
    let folder: URL
    let watcher: FolderWatcher
    let log: EventLog

    /// Frames of the tests end with `END`; those that begin with `BAD` cannot be mended.
    static let isWhole: @Sendable (String) -> Wholeness = { path in
        guard let data = FileManager.default.contents(atPath: path) else {
            return .incomplete("cannot be read")
        }
        if data.starts(with: Data("BAD".utf8)) { return .damaged("is bad") }
        return data.suffix(3) == Data("END".utf8) ? .whole : .incomplete("has no end")
    }

    /// The options of most tests: the same as the product's, only faster.
    static var fast: FolderWatcher.Options {
        var options = FolderWatcher.Options()
        options.settle = .milliseconds(100)
        options.firstRetry = .milliseconds(10)
        options.longestRetry = .milliseconds(200)
        options.pollInterval = .milliseconds(100)
        // A busy machine may take a while to write the rest.
        options.giveUpAfter = .seconds(600)
        return options
    }

    init(
        _ folder: URL,
        pattern: String = FramePattern.standard,
        options: FolderWatcher.Options = fast,
        watchLimit: Int = .max,
        mailCapacity: Int = 1 << 16,
        isWhole: @escaping @Sendable (String) -> Wholeness = isWhole,
        hasRoomForOld: @escaping @Sendable () -> Bool = { true },
        known: @escaping FolderWatcher.Known = { _ in }
    ) throws {
        self.folder = folder
        var plan = WatchPlan(
            roots: [folder.path],
            pattern: try FramePattern(pattern),
            options: options,
            known: known,
            hasRoomForOld: hasRoomForOld,
            isWhole: isWhole
        )
        (plan.watchLimit, plan.mailCapacity) = (watchLimit, mailCapacity)
        watcher = FolderWatcher(plan)
        log = EventLog(watcher)
    }

    /// Waits for the first listing.
    func ready() async throws -> Int {
        try await log.wait(for: "first listing") { $0.listed != nil }.listed ?? -1
    }

    /// Ends the watcher when nothing more can come, and returns all it told.
    ///
    /// A frame written after everything else has come through by then, and one more that had to be found and
    /// to settle: what was to be told twice has been.
    func finish() async throws -> EventLog.State {
        try write("zz_P24_f1.tif", "END")
        try await log.wait(for: "the last frame") { state in
            state.frames.suffix(100).contains { $0.source.path == "zz_P24_f1.tif" }
        }
        try FileManager.default.linkItem(
            at: folder.appending(path: "zz_P24_f1.tif"),
            to: folder.appending(path: "zz_P24_f2.tif")
        )
        try await log.wait(for: "the linked frame") { $0.frames.last?.source.path == "zz_P24_f2.tif" }
        watcher.stop()
        var state = try await log.wait(for: "the end") { $0.hasEnded }
        state.frames.removeAll { $0.frame.run == "zz" }
        return state
    }

    func write(_ name: String, _ text: String) throws {
        try Data(text.utf8).write(to: folder.appending(path: name))
    }

    func makeFolder(_ name: String) throws {
        try FileManager.default.createDirectory(
            at: folder.appending(path: name),
            withIntermediateDirectories: true
        )
    }

    func move(_ name: String, to other: String) throws {
        try FileManager.default.moveItem(
            at: folder.appending(path: name),
            to: folder.appending(path: other)
        )
    }

    /// Writes five chunks over 250 ms, holding the file open or closing it after each.
    func writeSlowly(_ name: String, isHeld: Bool) async throws {
        let url = folder.appending(path: name)
        try Data("1".utf8).write(to: url)
        var handle = try FileHandle(forWritingTo: url)
        for chunk in ["2", "3", "4", "END"] {
            try await Task.sleep(for: .milliseconds(60))
            if !isHeld {
                try handle.close()
                handle = try FileHandle(forWritingTo: url)
            }
            try handle.seekToEnd()
            try handle.write(contentsOf: Data(chunk.utf8))
        }
        try handle.close()
    }
}
