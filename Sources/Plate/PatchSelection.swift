/// Which patches of a frame the network reconstructs, on its grid of patches.
package enum PatchSelection: Sendable, Equatable {
    /// All of them.
    case all
    /// Every second patch of a row, beginning with the first or the second: those of the phases with even numbers.
    case even
    /// The others.
    case odd

    /// One half or the other, so that two frames in a row cover all patches.
    package static func half(forFrame index: Int) -> PatchSelection { index.isMultiple(of: 2) ? .even : .odd }

    /// Whether the patches of a phase are among them.
    package func includes(phase: Int) -> Bool { self == .all || phase.isMultiple(of: 2) == (self == .even) }
}
