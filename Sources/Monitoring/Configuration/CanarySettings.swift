/// How the daemon tests itself: `canary`.
package struct CanarySettings: Sendable, Equatable {
    /// `canary.every`; `nil` for never.
    package let every: Duration?
    /// `canary.frames`.
    package let frames: Int
    /// `canary.alarm_below`; 0 for never.
    package let alarmBelow: Double

    init(_ settings: ConfigurationSettings) {
        let time = settings.canaryEvery ?? .seconds(3600)
        every = time > .zero ? time : nil
        frames = settings.canaryFrames ?? 4
        alarmBelow = settings.canaryAlarmBelow ?? 0.7
    }
}
