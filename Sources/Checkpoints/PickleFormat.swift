import Tensors

/// The opcodes of Python's pickle protocols 2 to 5 that dictionaries, sequences, numbers, text and calls need.
///
/// Not among them, and so refused by name: protocols 0 and 1 (text), persistent ids as text, classes built by INST and
/// OBJ, extension codes, and buffers outside the pickle.
enum PickleOpcode: UInt8 {
    // Frame of the pickle.
    case proto = 0x80
    case frame = 0x95
    case stop = 0x2E
    // Stack.
    case mark = 0x28
    case pop = 0x30
    case popMark = 0x31
    // Constants and numbers.
    case none = 0x4E
    case newTrue = 0x88
    case newFalse = 0x89
    case binInt = 0x4A
    case binInt1 = 0x4B
    case binInt2 = 0x4D
    case long1 = 0x8A
    case long4 = 0x8B
    case binFloat = 0x47
    // Text and bytes.
    case binUnicode = 0x58
    case shortBinUnicode = 0x8C
    case binUnicode8 = 0x8D
    case binBytes = 0x42
    case shortBinBytes = 0x43
    case binBytes8 = 0x8E
    case byteArray8 = 0x96
    // Containers.
    case emptyTuple = 0x29
    case tuple = 0x74
    case tuple1 = 0x85
    case tuple2 = 0x86
    case tuple3 = 0x87
    case emptyList = 0x5D
    case append = 0x61
    case appends = 0x65
    case emptyDictionary = 0x7D
    case setItem = 0x73
    case setItems = 0x75
    case emptySet = 0x8F
    case addItems = 0x90
    case frozenSet = 0x91
    // Memory.
    case binPut = 0x71
    case longBinPut = 0x72
    case memoize = 0x94
    case binGet = 0x68
    case longBinGet = 0x6A
    // Names and calls.
    case global = 0x63
    case stackGlobal = 0x93
    case reduce = 0x52
    case newObject = 0x81
    case newObjectWithKeywords = 0x92
    case build = 0x62
    case binPersistentID = 0x51

    /// What Python calls an opcode that is not read here.
    static func name(ofRefused byte: UInt8) -> String {
        let known: [UInt8: String] = [
            0x69: "INST", 0x6F: "OBJ", 0x82: "EXT1", 0x83: "EXT2", 0x84: "EXT4", 0x50: "PERSID",
            0x97: "NEXT_BUFFER", 0x98: "READONLY_BUFFER", 0x32: "DUP", 0x49: "INT", 0x4C: "LONG",
            0x46: "FLOAT", 0x53: "STRING", 0x54: "BINSTRING", 0x55: "SHORT_BINSTRING", 0x56: "UNICODE",
            0x70: "PUT", 0x67: "GET", 0x64: "DICT", 0x6C: "LIST",
        ]
        let code = "0x" + String(byte, radix: 16)
        return known[byte].map { "\($0) (\(code))" } ?? "\(code), which Python's pickle does not have"
    }
}

/// The bytes of a pickle, read once from front to back; every read is checked against the end.
struct PickleReader {
    private let bytes: [UInt8]
    private let path: String
    private(set) var position = 0

    init(_ bytes: [UInt8], path: String) { (self.bytes, self.path) = (bytes, path) }

    mutating func byte() throws(CheckpointError) -> UInt8 {
        guard position < bytes.count else { throw ended() }
        position += 1
        return bytes[position - 1]
    }

    /// The next `count` bytes.
    mutating func next(_ count: UInt64) throws(CheckpointError) -> ArraySlice<UInt8> {
        guard count <= UInt64(bytes.count - position) else { throw ended() }
        position += Int(count)
        return bytes[(position - Int(count))..<position]
    }

    /// A little-endian number of `width` bytes, at most 8.
    mutating func number(width: UInt64) throws(CheckpointError) -> UInt64 {
        try next(width).reversed().reduce(0) { $0 << 8 | UInt64($1) }
    }

    /// Text up to a line feed, which is taken too; names longer than 1024 bytes are refused.
    mutating func line() throws(CheckpointError) -> String {
        guard let end = bytes[position...].prefix(1025).firstIndex(of: 0x0A) else { throw ended() }
        let text = try text(bytes[position..<end])
        position = end + 1
        return text
    }

    /// The next `count` bytes as UTF-8.
    mutating func text(count: UInt64) throws(CheckpointError) -> String { try text(try next(count)) }

    private func text(_ bytes: ArraySlice<UInt8>) throws(CheckpointError) -> String {
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw CheckpointError(
                .damaged,
                path,
                "data.pkl has text that is not UTF-8 before byte \(position)"
            )
        }
        return text
    }

    private func ended() -> CheckpointError {
        CheckpointError(.damaged, path, "data.pkl ends inside what begins before byte \(position)")
    }
}

/// A value on the pickle's stack.
///
/// Containers are named by their number in `PickleMachine.objects`, so that a pickle that
/// nests or refers to itself a million times neither recurses nor leaks.
enum PickleValue: Sendable {
    case none
    case boolean(Bool)
    case integer(Int)
    case real(Double)
    case text(String)
    case global(PickleGlobal, name: String)
    case storage(StorageReference)
    case tensor(TensorReference)
    case object(Int)
    /// A value that stands beside the weights; nothing can be done with it.
    case opaque
}

struct PickleObject: Sendable {
    enum Kind: String, Sendable {
        case tuple = "a tuple"
        case list = "a list"
        case dictionary = "a dictionary"
        case orderedDictionary = "an OrderedDict"
        case configuration = "an OmegaConf container"
    }

    let kind: Kind
    /// The members; of dictionaries, key and value alternately; of an OmegaConf container, the state that BUILD gave it.
    var items: [PickleValue]
}

/// Numbers in an entry of the archive, as a persistent id names them.
struct StorageReference: Sendable, Hashable {
    /// Name of the entry below `data/`.
    let key: String
    let type: ElementType
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

/// The names that a pickled checkpoint may refer to.
///
/// Nothing behind a name is ever loaded or called.
enum PickleGlobal: Sendable, Equatable {
    /// `collections.OrderedDict`, a state dict.
    case orderedDictionary
    /// `torch._utils._rebuild_tensor_v2`: storage, offset, shape and strides make a tensor.
    case rebuildTensor
    /// `torch._utils._rebuild_parameter`: its tensor.
    case rebuildParameter
    case size
    /// A storage class, which tells the type of the numbers.
    case storage(ElementType)
    /// A class of OmegaConf: a container, or the node around a single value.
    case configuration
    /// PyTorch Lightning's dictionary of hyper-parameters.
    case attributeDictionary
    /// What stands beside the weights; becomes a value that nothing can use.
    case bystander

    /// What a name means here; absent for every name that is not on the list.
    init?(module: String, name: String) {
        let path = "\(module).\(name)"
        if let type = Self.storages[path] {
            self = .storage(type)
        } else if let tool = Self.tools[path] {
            self = tool
        } else if Self.bystanders.contains(path) {
            self = .bystander
        } else {
            return nil
        }
    }

    private static let tools: [String: PickleGlobal] = {
        var tools: [String: PickleGlobal] = [
            "collections.OrderedDict": .orderedDictionary,
            "torch._utils._rebuild_tensor_v2": .rebuildTensor,
            "torch._utils._rebuild_parameter": .rebuildParameter,
            "torch.Size": .size,
        ]
        let nodes = [
            "AnyNode", "StringNode", "IntegerNode", "FloatNode", "BooleanNode", "BytesNode", "PathNode",
            "InterpolationResultNode",
        ]
        for name in ["dictconfig.DictConfig", "listconfig.ListConfig"] + nodes.map({ "nodes.\($0)" }) {
            tools["omegaconf.\(name)"] = .configuration
        }
        for module in [
            "pytorch_lightning.utilities.parsing", "lightning.pytorch.utilities.parsing",
            "lightning.fabric.utilities.data", "lightning_fabric.utilities.data",
        ] { tools["\(module).AttributeDict"] = .attributeDictionary }
        return tools
    }()

    private static let storages: [String: ElementType] = [
        "torch.FloatStorage": .float32, "torch.DoubleStorage": .float64, "torch.HalfStorage": .float16,
        "torch.BFloat16Storage": .bfloat16, "torch.CharStorage": .int8, "torch.ByteStorage": .uint8,
        "torch.ShortStorage": .int16, "torch.IntStorage": .int32, "torch.LongStorage": .int64,
        "torch.BoolStorage": .boolean,
    ]

    /// Python's plain types.
    ///
    /// Protocol 2 writes them under the names of Python 2: an integer type is `__builtin__.long` there.
    private static let plainTypes: Set<String> = [
        "dict", "list", "set", "frozenset", "tuple", "int", "long", "float", "complex", "bool", "str",
        "unicode",
        "bytes", "bytearray", "slice", "range", "xrange", "object", "type", "NoneType", "Ellipsis",
        "NotImplemented",
    ]

    /// Data types, and what PyTorch Lightning and OmegaConf write beside a state dict.
    ///
    /// Listed so that a published checkpoint needs no re-saving: none of them can run anything.
    private static let bystanders: Set<String> = Set(
        plainTypes.flatMap { ["builtins.\($0)", "__builtin__.\($0)"] }
            + [
                "torch.float16", "torch.bfloat16", "torch.float32", "torch.float64", "torch.int8",
                "torch.uint8",
                "torch.int16", "torch.int32", "torch.int64", "torch.bool", "torch.device",
                "_codecs.encode", "typing.Any", "collections.defaultdict",
                "collections.Counter", "collections.deque", "pathlib.PosixPath", "pathlib.WindowsPath",
                "pathlib.PurePosixPath",
                "argparse.Namespace", "numpy.dtype", "numpy.ndarray", "numpy.core.multiarray.scalar",
                "numpy._core.multiarray.scalar", "numpy.core.multiarray._reconstruct",
                "numpy._core.multiarray._reconstruct", "omegaconf.base.ContainerMetadata",
                "omegaconf.base.Metadata", "pytorch_lightning.callbacks.model_checkpoint.ModelCheckpoint",
                "pytorch_lightning.callbacks.early_stopping.EarlyStopping",
            ]
    )
}
