import Tensors

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
    /// `torch.Size`: a tuple.
    case size
    /// A storage class, which tells the type of the numbers.
    case storage(ElementType)
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

    private static let tools: [String: PickleGlobal] = [
        "collections.OrderedDict": .orderedDictionary,
        "torch._utils._rebuild_tensor_v2": .rebuildTensor,
        "torch._utils._rebuild_parameter": .rebuildParameter,
        "torch.Size": .size,
    ]

    private static let storages: [String: ElementType] = [
        "torch.FloatStorage": .float32, "torch.DoubleStorage": .float64, "torch.HalfStorage": .float16,
        "torch.BFloat16Storage": .bfloat16, "torch.CharStorage": .int8, "torch.ByteStorage": .uint8,
        "torch.ShortStorage": .int16, "torch.IntStorage": .int32, "torch.LongStorage": .int64,
        "torch.BoolStorage": .boolean,
    ]

    /// Data types, and what PyTorch Lightning and OmegaConf write beside a state dict.
    ///
    /// Listed so that a published checkpoint needs no re-saving: none of them can run anything.
    private static let bystanders: Set<String> = [
        "torch.float16", "torch.bfloat16", "torch.float32", "torch.float64", "torch.int8", "torch.uint8",
        "torch.int16", "torch.int32", "torch.int64", "torch.bool", "torch.device",
        "builtins.dict", "builtins.list", "builtins.set", "builtins.int", "builtins.float", "builtins.str",
        "builtins.bool", "builtins.tuple", "builtins.frozenset", "builtins.bytearray",
        "__builtin__.dict", "__builtin__.list", "__builtin__.set", "__builtin__.int", "__builtin__.float",
        "__builtin__.unicode", "__builtin__.bool", "__builtin__.tuple", "__builtin__.frozenset",
        "__builtin__.bytearray", "_codecs.encode", "typing.Any", "collections.defaultdict",
        "collections.Counter", "pathlib.PosixPath", "pathlib.WindowsPath", "pathlib.PurePosixPath",
        "argparse.Namespace", "numpy.dtype", "numpy.ndarray", "numpy.core.multiarray.scalar",
        "numpy._core.multiarray.scalar", "numpy.core.multiarray._reconstruct",
        "numpy._core.multiarray._reconstruct", "omegaconf.dictconfig.DictConfig",
        "omegaconf.listconfig.ListConfig", "omegaconf.base.ContainerMetadata", "omegaconf.base.Metadata",
        "omegaconf.nodes.AnyNode", "omegaconf.nodes.StringNode", "omegaconf.nodes.IntegerNode",
        "omegaconf.nodes.FloatNode", "omegaconf.nodes.BooleanNode", "omegaconf.nodes.InterpolationResultNode",
        "pytorch_lightning.utilities.parsing.AttributeDict",
        "pytorch_lightning.callbacks.model_checkpoint.ModelCheckpoint",
        "pytorch_lightning.callbacks.early_stopping.EarlyStopping",
        "lightning.fabric.utilities.data.AttributeDict", "lightning_fabric.utilities.data.AttributeDict",
        "lightning.pytorch.utilities.parsing.AttributeDict",
    ]
}
