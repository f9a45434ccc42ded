import Tensors

/// A value on the pickle's stack.
///
/// Containers are named by their number in `PickleMachine.objects`, so that a pickle that
/// nests or refers to itself a million times neither recurses nor leaks.
enum PickleValue: Sendable {
    case none
    case boolean(Bool)
    case integer(Int)
    case text(String)
    case global(PickleGlobal, name: String)
    case storage(StorageReference)
    case tensor(TensorReference)
    case object(Int)
    /// A value that stands beside the weights; nothing can be done with it.
    case opaque
}

/// A container that the pickle built.
struct PickleObject: Sendable {
    enum Kind: String, Sendable {
        case tuple = "a tuple"
        case list = "a list"
        case dictionary = "a dictionary"
        case orderedDictionary = "an OrderedDict"
    }

    let kind: Kind
    /// The members; of dictionaries, key and value by turns.
    var items: [PickleValue]
}

/// Numbers in an entry of the archive, as a persistent id names them.
struct StorageReference: Sendable, Hashable {
    /// Name of the entry below `data/`.
    let key: String
    let type: ElementType
    /// Number of values.
    let count: Int
}

/// A view of a storage, as `_rebuild_tensor_v2` describes it.
struct TensorReference: Sendable {
    let storage: StorageReference
    /// Index of the first value in the storage.
    let offset: Int
    let shape: [Int]
    /// Values from one index to the next along each axis; any layout that stays inside the storage.
    let strides: [Int]

    /// Number of values; checked against overflow when the reference was made.
    var count: Int { shape.reduce(1, *) }

    /// Whether the values lie one after another in row-major order.
    var isContiguous: Bool {
        var expected = 1
        for (length, stride) in zip(shape, strides).reversed() {
            if length != 1, stride != expected { return false }
            expected *= length
        }
        return true
    }

    /// The tensor, from all values of its storage.
    func tensor(from storage: [Float]) -> Tensor {
        let count = count
        guard count > 0 else { return Tensor([], shape: shape) }
        if isContiguous { return Tensor(Array(storage[offset..<offset + count]), shape: shape) }
        var values: [Float] = []
        values.reserveCapacity(count)
        var index = [Int](repeating: 0, count: shape.count)
        var position = offset
        for _ in 0..<count {
            values.append(storage[position])
            for axis in shape.indices.reversed() {
                index[axis] += 1
                position += strides[axis]
                guard index[axis] == shape[axis] else { break }
                index[axis] = 0
                position -= strides[axis] * shape[axis]
            }
        }
        return Tensor(values, shape: shape)
    }
}
