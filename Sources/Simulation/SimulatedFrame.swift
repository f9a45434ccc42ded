public import Plate

/// A frame and the truth about it.
public struct SimulatedFrame: Sendable, Equatable {
    /// What the microscope writes, whole grey values of 0 to 255.
    public let frame: Frame
    /// The pixels that a fault changes; of a Z-shift, what the cells cover.
    public let mask: Mask
    /// The faults that it shows.
    public let faults: [Fault]
}
