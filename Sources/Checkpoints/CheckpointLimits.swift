/// How large a checkpoint may claim to be before it is refused; checked before any memory is taken.
///
/// The largest published network (f-AnoGAN) has about 10^8 values and a pickle of some 10 kB.
package struct CheckpointLimits: Sendable, Equatable {
    /// Longest pickle, in bytes.
    package var maximumPickleBytes = 32 << 20
    /// Most values that wait on the pickle's stack.
    package var maximumStack = 1 << 18
    /// Most tuples, lists and dictionaries in the pickle.
    package var maximumObjects = 1 << 20
    /// Most values that the pickle remembers.
    package var maximumMemo = 1 << 20
    /// Most axes of a tensor.
    package var maximumAxes = 8
    /// Most values in all tensors together.
    package var maximumValues = 1 << 29
    /// Most bytes in all storages together.
    package var maximumStorageBytes = 1 << 32

    /// The limits of every command.
    package static let `default` = CheckpointLimits()

    /// The default limits, to be narrowed.
    package init() {}
}
