import Tensors

/// Interprets the pickle of a checkpoint.
///
/// It executes nothing: a call is either one of the few that describe tensors, and
/// then builds that description, or it is refused by name.
///
/// Every opcode adds at most one value, so the limits on stack, memory and containers bound time and memory together with
/// the length of the pickle.
struct PickleMachine {
    let path: String
    let limits: CheckpointLimits
    var reader: PickleReader
    var stack: [PickleValue] = []
    /// Heights of the stack at the marks that are open.
    var marks: [Int] = []
    var memo: [Int: PickleValue] = [:]
    var objects: [PickleObject] = []
    /// Where the opcode in hand begins.
    var offset = 0

    init(_ bytes: [UInt8], path: String, limits: CheckpointLimits) {
        self.path = path
        self.limits = limits
        self.reader = PickleReader(bytes, path: path)
    }

    /// Runs to STOP and returns what the pickle stands for.
    mutating func run() throws(CheckpointError) -> PickleValue {
        while true {
            offset = reader.position
            let byte = try reader.byte()
            guard let opcode = PickleOpcode(rawValue: byte) else {
                throw refused("has the opcode \(PickleOpcode.name(ofRefused: byte)) at byte \(offset)")
            }
            if opcode == .stop { return try pop() }
            try step(opcode)
            guard stack.count + marks.count <= limits.maximumStack,
                objects.count <= limits.maximumObjects, memo.count <= limits.maximumMemo
            else { throw failure(.tooLarge, "holds more values than a state dict has, at byte \(offset)") }
        }
    }

    private mutating func step(_ opcode: PickleOpcode) throws(CheckpointError) {
        switch opcode {
        case .proto:
            let version = try reader.byte()
            guard version <= 5 else {
                throw refused("is of pickle protocol \(version); protocols up to 5 are read")
            }
        case .frame: _ = try reader.number(width: 8)
        case .stop: break
        case .mark: marks.append(stack.count)
        case .pop: try discard()
        case .popMark: _ = try popToMark()
        case .none, .newTrue, .newFalse, .binInt, .binInt1, .binInt2, .long1, .long4, .binFloat:
            try pushNumber(opcode)
        case .binUnicode, .shortBinUnicode, .binUnicode8, .binBytes, .shortBinBytes, .binBytes8,
            .byteArray8:
            try pushText(opcode)
        case .emptyTuple, .tuple, .tuple1, .tuple2, .tuple3, .emptyList, .emptyDictionary, .emptySet,
            .frozenSet:
            try pushContainer(opcode)
        case .append, .appends, .setItem, .setItems, .addItems: try fillContainer(opcode)
        case .binPut, .longBinPut, .memoize, .binGet, .longBinGet: try remember(opcode)
        case .global, .stackGlobal: try pushGlobal(opcode)
        case .reduce, .newObject, .newObjectWithKeywords, .build, .binPersistentID: try call(opcode)
        }
    }

    // MARK: Stack

    mutating func pop() throws(CheckpointError) -> PickleValue {
        // A value below an open mark belongs to what the mark began.
        guard stack.count > marks.last ?? 0, let value = stack.popLast() else { throw underflow() }
        return value
    }

    /// POP takes a value, or a mark where nothing lies above it.
    private mutating func discard() throws(CheckpointError) {
        if marks.last == stack.count { marks.removeLast() } else { _ = try pop() }
    }

    mutating func popToMark() throws(CheckpointError) -> [PickleValue] {
        guard let mark = marks.popLast() else { throw underflow() }
        let values = Array(stack[mark...])
        stack.removeSubrange(mark...)
        return values
    }

    // MARK: Numbers and text

    private mutating func pushNumber(_ opcode: PickleOpcode) throws(CheckpointError) {
        switch opcode {
        case .newTrue: stack.append(.boolean(true))
        case .newFalse: stack.append(.boolean(false))
        case .binInt:
            let bits = UInt32(truncatingIfNeeded: try reader.number(width: 4))
            stack.append(.integer(Int(Int32(bitPattern: bits))))
        case .binInt1: stack.append(.integer(Int(try reader.byte())))
        case .binInt2: stack.append(.integer(Int(try reader.number(width: 2))))
        case .long1: stack.append(long(try reader.next(UInt64(try reader.byte()))))
        case .long4: stack.append(long(try reader.next(try reader.number(width: 4))))
        case .binFloat:
            let bits = try reader.next(8).reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
            stack.append(.real(Double(bitPattern: bits)))
        default: stack.append(.none)
        }
    }

    /// Two's complement of any length; what Int cannot hold describes no tensor.
    private func long(_ bytes: ArraySlice<UInt8>) -> PickleValue {
        guard bytes.count <= 8, let last = bytes.last else { return bytes.isEmpty ? .integer(0) : .opaque }
        let sign: UInt64 = last < 0x80 ? 0 : .max
        return .integer(Int(bitPattern: UInt(bytes.reversed().reduce(sign) { $0 << 8 | UInt64($1) })))
    }

    private mutating func pushText(_ opcode: PickleOpcode) throws(CheckpointError) {
        let width: UInt64 =
            switch opcode {
            case .shortBinUnicode, .shortBinBytes: 1
            case .binUnicode, .binBytes: 4
            default: 8
            }
        let count = try reader.number(width: width)
        switch opcode {
        case .binUnicode, .shortBinUnicode, .binUnicode8: stack.append(.text(try reader.text(count: count)))
        default:
            _ = try reader.next(count)
            stack.append(.opaque)
        }
    }

    // MARK: Memory

    private mutating func remember(_ opcode: PickleOpcode) throws(CheckpointError) {
        switch opcode {
        case .binGet: try recall(Int(try reader.byte()))
        case .longBinGet: try recall(Int(try reader.number(width: 4)))
        case .binPut: memo[Int(try reader.byte())] = try top()
        case .longBinPut: memo[Int(try reader.number(width: 4))] = try top()
        default: memo[memo.count] = try top()
        }
    }

    private mutating func recall(_ index: Int) throws(CheckpointError) {
        guard let value = memo[index] else {
            throw failure(.damaged, "recalls value \(index) at byte \(offset) before it was stored")
        }
        stack.append(value)
    }

    func top() throws(CheckpointError) -> PickleValue {
        guard stack.count > marks.last ?? 0, let value = stack.last else { throw underflow() }
        return value
    }

    // MARK: Refusals

    func failure(_ code: CheckpointError.Code, _ clause: String) -> CheckpointError {
        CheckpointError(code, path, "data.pkl \(clause)")
    }

    func refused(_ clause: String) -> CheckpointError {
        failure(.refused, "\(clause), which is no part of a state dict")
    }

    private func underflow() -> CheckpointError {
        failure(.damaged, "takes a value at byte \(offset) that is not there")
    }
}

extension PickleMachine {
    mutating func push(_ kind: PickleObject.Kind, _ items: [PickleValue]) {
        stack.append(.object(objects.count))
        objects.append(PickleObject(kind: kind, items: items))
    }

    mutating func pushContainer(_ opcode: PickleOpcode) throws(CheckpointError) {
        switch opcode {
        case .tuple: push(.tuple, try popToMark())
        case .tuple1: push(.tuple, try popLast(1))
        case .tuple2: push(.tuple, try popLast(2))
        case .tuple3: push(.tuple, try popLast(3))
        case .emptyList: push(.list, [])
        case .emptyDictionary: push(.dictionary, [])
        case .emptySet: stack.append(.opaque)
        case .frozenSet:
            _ = try popToMark()
            stack.append(.opaque)
        default: push(.tuple, [])
        }
    }

    private mutating func popLast(_ count: Int) throws(CheckpointError) -> [PickleValue] {
        var items: [PickleValue] = []
        for _ in 0..<count { items.append(try pop()) }
        return items.reversed()
    }

    /// APPEND, APPENDS, SETITEM, SETITEMS and ADDITEMS: members for the container below them.
    mutating func fillContainer(_ opcode: PickleOpcode) throws(CheckpointError) {
        let items =
            switch opcode {
            case .append: try popLast(1)
            case .setItem: try popLast(2)
            default: try popToMark()
            }
        let takesPairs = opcode == .setItem || opcode == .setItems
        switch try top() {
        case .opaque: return
        case .object(let index):
            let kind = objects[index].kind
            let fits = takesPairs ? kind == .dictionary || kind == .orderedDictionary : kind == .list
            guard fits, opcode != .addItems, !takesPairs || items.count % 2 == 0 else { break }
            objects[index].items.append(contentsOf: items)
            return
        default: break
        }
        throw failure(.damaged, "adds members at byte \(offset) to a value that has none")
    }

    func tuple(_ value: PickleValue) -> [PickleValue]? {
        guard case .object(let index) = value, objects[index].kind == .tuple else { return nil }
        return objects[index].items
    }

    /// The members of a list or tuple.
    func members(_ value: PickleValue) -> [PickleValue]? {
        guard case .object(let index) = value else { return nil }
        let object = objects[index]
        return object.kind == .list || object.kind == .tuple ? object.items : nil
    }

    /// The attributes of an OmegaConf container or node.
    func attributes(_ value: PickleValue) -> [(key: String, value: PickleValue)]? {
        guard case .object(let index) = value, objects[index].kind == .configuration else { return nil }
        return objects[index].items.first.flatMap { entries($0, atMost: 64) } ?? []
    }

    /// Keys and values of a dictionary whose keys are text, in their order; a later value takes an earlier one's place.
    ///
    /// `nil` for everything else, and for a dictionary of more than `limit` entries.
    func entries(_ value: PickleValue, atMost limit: Int = .max / 2) -> [(key: String, value: PickleValue)]? {
        guard case .object(let index) = value else { return nil }
        let object = objects[index]
        guard object.kind == .dictionary || object.kind == .orderedDictionary,
            object.items.count <= 2 * limit
        else { return nil }
        return stride(from: 0, to: object.items.count - 1, by: 2).compactMap { position in
            guard case .text(let key) = object.items[position] else { return nil }
            return (key, object.items[position + 1])
        }
    }
}

extension PickleMachine {
    /// GLOBAL and STACK_GLOBAL: the only places where a name enters, and every name is checked here.
    mutating func pushGlobal(_ opcode: PickleOpcode) throws(CheckpointError) {
        let module: String
        let name: String
        if opcode == .global {
            module = try reader.line()
            name = try reader.line()
        } else {
            guard case .text(let last) = try pop(), case .text(let first) = try pop() else {
                throw failure(.damaged, "names something by a value that is not text, at byte \(offset)")
            }
            (module, name) = (first, last)
        }
        guard let global = PickleGlobal(module: module, name: name) else {
            throw refused("refers to \("\(module).\(name)".printable) at byte \(offset)")
        }
        stack.append(.global(global, name: "\(module).\(name)"))
    }

    mutating func call(_ opcode: PickleOpcode) throws(CheckpointError) {
        switch opcode {
        case .reduce:
            let arguments = try pop()
            stack.append(try result(of: try pop(), arguments))
        case .binPersistentID: stack.append(.storage(try storage(try pop())))
        case .build: try build()
        default:
            if opcode == .newObjectWithKeywords { _ = try pop() }
            _ = try pop()
            let type = try pop()
            switch type {
            case .global(.bystander, _): stack.append(.opaque)
            case .global(.configuration, _): push(.configuration, [])
            case .global(.attributeDictionary, _): push(.dictionary, [])
            default: throw refused("makes \(words(type)) at byte \(offset)")
            }
        }
    }

    /// BUILD gives an object its attributes; only an OrderedDict (its `_metadata`), OmegaConf and bystanders have any.
    private mutating func build() throws(CheckpointError) {
        let state = try pop()
        let target = try top()
        switch target {
        case .opaque: return
        case .object(let index) where objects[index].kind == .orderedDictionary: return
        case .object(let index) where objects[index].kind == .configuration: objects[index].items = [state]
        default: throw refused("sets the attributes of \(words(target)) at byte \(offset)")
        }
    }

    private mutating func result(
        of function: PickleValue,
        _ arguments: PickleValue
    ) throws(CheckpointError) -> PickleValue {
        guard case .global(let global, let name) = function else {
            throw refused("calls \(words(function)) at byte \(offset)")
        }
        guard let arguments = tuple(arguments) else {
            throw failure(.damaged, "calls \(name) at byte \(offset) without a tuple of arguments")
        }
        switch global {
        case .bystander: return .opaque
        case .orderedDictionary where arguments.isEmpty:
            push(.orderedDictionary, [])
            return try pop()
        case .attributeDictionary where arguments.isEmpty:
            push(.dictionary, [])
            return try pop()
        case .size where arguments.count == 1 && tuple(arguments[0]) != nil: return arguments[0]
        case .rebuildTensor: return .tensor(try tensor(arguments))
        case .rebuildParameter:
            if case .tensor? = arguments.first { return arguments[0] }
            fallthrough
        default: throw refused("calls \(name) in another way than PyTorch does at byte \(offset)")
        }
    }

    /// What a value is called in a message.
    private func words(_ value: PickleValue) -> String {
        switch value {
        case .global(_, let name): name
        case .object(let index): objects[index].kind.rawValue
        case .tensor: "a tensor"
        case .storage: "a storage"
        default: "a plain value"
        }
    }

    // MARK: Storages and tensors

    /// The persistent id `('storage', class, key, device, count)`.
    private func storage(_ value: PickleValue) throws(CheckpointError) -> StorageReference {
        guard let parts = tuple(value), parts.count == 5, case .text("storage") = parts[0],
            case .global(.storage(let type), _) = parts[1], case .text(let key) = parts[2],
            case .integer(let count) = parts[4]
        else { throw refused("has a persistent id at byte \(offset) that is not a storage") }
        guard count >= 0, count <= limits.maximumStorageBytes / type.width else {
            throw failure(.tooLarge, "names a storage of \(count) values at byte \(offset)")
        }
        return StorageReference(key: key, type: type, count: count)
    }

    /// The arguments of `_rebuild_tensor_v2`: storage, offset, shape, strides, and two that only training needs.
    private func tensor(_ arguments: [PickleValue]) throws(CheckpointError) -> TensorReference {
        guard arguments.count >= 4, case .storage(let storage) = arguments[0],
            case .integer(let first) = arguments[1], let shape = integers(arguments[2]),
            let strides = integers(arguments[3]), shape.count == strides.count
        else {
            throw failure(.damaged, "describes a tensor at byte \(offset) without storage, shape or strides")
        }
        guard shape.count <= limits.maximumAxes else {
            throw failure(.tooLarge, "describes a tensor of \(shape.count) axes at byte \(offset)")
        }
        var (count, last, isAbsurd) = (1, first, first < 0)
        for (length, stride) in zip(shape, strides) where !isAbsurd {
            let (product, overflow) = count.multipliedReportingOverflow(by: length)
            let (way, wayOverflow) = max(length - 1, 0).multipliedReportingOverflow(by: stride)
            let (end, endOverflow) = last.addingReportingOverflow(way)
            (count, last) = (product, end)
            isAbsurd = length < 0 || stride < 0 || overflow || wayOverflow || endOverflow
        }
        guard !isAbsurd, count == 0 || last < storage.count else {
            throw failure(.damaged, "describes a tensor at byte \(offset) that reaches beyond its storage")
        }
        // The stride of an axis of one value moves nothing and may be any number.
        let steps = zip(shape, strides).map { length, stride in length > 1 ? stride : 0 }
        return TensorReference(storage: storage, offset: first, shape: shape, strides: steps)
    }

    private func integers(_ value: PickleValue) -> [Int]? {
        guard let items = tuple(value) else { return nil }
        var numbers: [Int] = []
        for case .integer(let number) in items { numbers.append(number) }
        return numbers.count == items.count ? numbers : nil
    }
}
