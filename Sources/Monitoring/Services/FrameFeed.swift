import Acquisition

/// Where frames come from: the folder watcher in the daemon, a script in tests.
protocol FrameFeed: Sendable {
    /// Starts, once; the events end after `stop()`. The heart beats as long as the feed is alive, with events or not.
    func events(heartbeat: Heartbeat) throws -> AsyncStream<AcquisitionEvent>

    /// Takes no more files.
    func stop()
}
