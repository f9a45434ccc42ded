/// How the daemon tests itself: `canary`.
public struct CanarySettings: Sendable, Equatable {
    /// `canary.every`; `nil` for never.
    public let every: Duration?
    /// `canary.frames`.
    public let frames: Int
    /// `canary.alarm_below`; 0 for never.
    public let alarmBelow: Double

    init(_ settings: ConfigurationSettings) {
        let time = settings.canaryEvery ?? .seconds(3600)
        every = time > .zero ? time : nil
        frames = settings.canaryFrames ?? 4
        alarmBelow = settings.canaryAlarmBelow ?? 0.7
    }
}
