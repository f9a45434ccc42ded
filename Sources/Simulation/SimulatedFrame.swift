package import Plate

/// A frame and the truth about it.
package struct SimulatedFrame: Sendable, Equatable {
    /// What the microscope writes, whole grey values of 0 to 255.
    package let frame: Frame
    /// The pixels that a fault changes; of a Z-shift, what the cells cover.
    package let mask: Mask
    /// The faults that it shows.
    package let faults: [Fault]
}
