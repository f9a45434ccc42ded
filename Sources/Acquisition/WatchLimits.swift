import CInotifyTools

/// What this machine lets one user watch.
package struct WatchLimits: Sendable, Equatable {
    /// Folders that may be watched, `fs.inotify.max_user_watches`.
    package let folders: Int
    /// Programs that may watch, `fs.inotify.max_user_instances`.
    package let instances: Int
    /// Events that may wait, `fs.inotify.max_queued_events`.
    package let events: Int

    /// Asks the kernel.
    package static var current: WatchLimits {
        WatchLimits(
            folders: Int(inotifytools_get_max_user_watches()),
            instances: Int(inotifytools_get_max_user_instances()),
            events: Int(inotifytools_get_max_queued_events())
        )
    }
}
