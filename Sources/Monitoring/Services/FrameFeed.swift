import Acquisition

/// Where frames come from: the folder watcher in the daemon, a script in tests.
protocol FrameFeed: Sendable {
    /// Starts, once; the events end after `stop()`. The heart beats as long as the feed is alive, with events or not.
    ///
    /// Files that lay there at the start are held back while there is no room for them, so that others are not behind them.
    func events(
        heartbeat: Heartbeat,
        hasRoomForOld: @escaping @Sendable () -> Bool
    ) throws -> AsyncStream<AcquisitionEvent>

    /// Takes no more files.
    func stop()
}
