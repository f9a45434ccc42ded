import Faults
import Foundation
package import Logging
import Plate
import Reporting
import Systemd

extension Monitor {
    /// Watches real folders, tells the system's journal and service manager, and listens to SIGTERM, SIGINT, SIGHUP.
    ///
    /// `judge` is the detector made from `configuration.model`. `reload` reads both again at SIGHUP; without it
    /// SIGHUP is logged and changes nothing. `reloadRequests` are the SIGHUPs since before the configuration was read:
    /// until someone listens, the signal would end the process. `companions` run beside the daemon's own services.
    package convenience init(
        configuration: Configuration,
        judge: any FrameJudge,
        logger: Logger,
        reloadRequests: AsyncStream<Int32>? = nil,
        reload: Reload? = nil,
        companions: @escaping Companions = { _, _ in [] }
    ) {
        self.init(configuration: configuration, judge: judge, logger: logger, reload: reload) {
            configuration,
            ledger in
            Parts(
                feed: FolderFeed(configuration, ledger: ledger),
                reader: TIFFFrameReader(limits: configuration.limits),
                writeMask: Sidecars.writeTIFF,
                journal: JournalReporter(journal: Journal()),
                notifier: SystemdNotifier(),
                reloadRequests: reloadRequests ?? ProcessSignals.stream(of: [SIGHUP]),
                stopRequests: ProcessSignals.stream(of: [SIGTERM, SIGINT]),
                now: { .now },
                companions: companions,
                faultyCopy: { TestFault.copy(of: $0, cause: $1, seed: $2) }
            )
        }
    }
}

/// systemd, where it started the process.
private struct SystemdNotifier: ServiceNotifying {
    private let manager = ServiceManager()

    var watchdogInterval: Duration? { manager.watchdogInterval }
    func ready() { manager.ready() }
    func status(_ text: String) { manager.status(text) }
    func watchdog() { manager.watchdog() }
    func reloading() { manager.reloading() }
    func stopping() { manager.stopping() }
}
