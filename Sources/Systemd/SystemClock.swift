import CSystemd

/// The machine's clock.
package enum SystemClock {
    /// Whether it follows another clock, as times in logs from several machines should.
    package static var isSynchronised: Bool { aqc_clock_is_synchronised() != 0 }
}
