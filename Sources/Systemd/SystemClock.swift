import CSystemd

/// The machine's clock.
public enum SystemClock {
    /// Whether it follows another clock, as times in logs from several machines should.
    public static var isSynchronised: Bool { aqc_clock_is_synchronised() != 0 }
}
