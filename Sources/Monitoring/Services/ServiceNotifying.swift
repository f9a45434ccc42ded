/// The service manager, systemd in the daemon; all of it works without one.
protocol ServiceNotifying: Sendable {
    /// How often a sign of life is due at least; `nil` where nobody waits for one.
    var watchdogInterval: Duration? { get }
    /// Everything is up, or up again after `reloading`.
    func ready()
    /// One line about what goes on.
    func status(_ text: String)
    /// A sign of life.
    func watchdog()
    /// The configuration is being read again.
    func reloading()
    /// The end has begun.
    func stopping()
}
