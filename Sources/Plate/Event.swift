/// A change of state that people are told of: of a well, a plate, the detector or the daemon.
///
/// The ledger keeps each of them once, in the order in which they came about.
package struct Event: Sendable, Equatable {
    /// What changed; a name that ends in `-CLEAR` is the end of what the name before it says.
    package enum Kind: String, Sendable, CaseIterable {
        /// A well turned faulty.
        case onset = "ONSET"
        /// A well is normal again.
        case clear = "CLEAR"
        /// A well looks different from one frame to the next.
        case shift = "SHIFT"
        /// A well slowly gets worse.
        case drift = "DRIFT"
        /// Wells that are faulty, shifted or drift have something in common.
        case plate = "PLATE"
        /// They do not have it in common any more.
        case plateClear = "PLATE-CLEAR"
        /// The run had better be paused until a person has looked.
        case pauseAdvised = "PAUSE-ADVISED"
        /// That advice is over.
        case pauseClear = "PAUSE-CLEAR"
        /// So many wells are faulty that the run had better be stopped.
        case stopAdvised = "STOP-ADVISED"
        /// That advice is over.
        case stopClear = "STOP-CLEAR"
        /// Frames of a well or run stopped coming.
        case stalled = "STALLED"
        /// The detector does not find faults any more that it should.
        case canary = "CANARY"
        /// It finds them again.
        case canaryClear = "CANARY-CLEAR"
        /// Judging is behind the microscope.
        case behind = "BEHIND"
        /// It keeps up again.
        case behindClear = "BEHIND-CLEAR"
        /// Little room is left for results.
        case diskLow = "DISK-LOW"
        /// There is room again.
        case diskClear = "DISK-CLEAR"
        /// The daemon ended, and nobody had asked it to.
        case failed = "FAILED"
        /// It runs again.
        case failedClear = "FAILED-CLEAR"
    }

    /// The same however often the event is found, for example after a crash; no other event has it.
    package let id: String
    /// When it was found.
    package let time: Timestamp
    /// What changed.
    package let kind: Kind
    /// The run it belongs to; `nil` for what concerns the daemon.
    package let run: String?
    /// The well it belongs to; `nil` for what concerns the plate or the daemon.
    package let well: Well?
    /// What frames show of the well; `nil` where there is no well.
    package let view: FrameView?
    /// One line for people.
    package let message: String
    /// Everything that is known of it: a JSON object on one line.
    package let data: String

    /// Gathers an event.
    package init(
        id: String,
        time: Timestamp,
        kind: Kind,
        run: String? = nil,
        well: Well? = nil,
        view: FrameView? = nil,
        message: String,
        data: String
    ) {
        (self.id, self.time, self.kind) = (id, time, kind)
        (self.run, self.well, self.view) = (run, well, view)
        (self.message, self.data) = (message, data)
    }
}
