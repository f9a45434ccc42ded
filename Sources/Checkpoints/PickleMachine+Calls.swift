import Tensors

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
            guard case .global(.bystander, _) = type else {
                throw refused("makes \(words(type)) at byte \(offset)")
            }
            stack.append(.opaque)
        }
    }

    /// BUILD gives an object its attributes; only an OrderedDict (its `_metadata`) and bystanders have any.
    private mutating func build() throws(CheckpointError) {
        _ = try pop()
        let target = try top()
        switch target {
        case .opaque: return
        case .object(let index) where objects[index].kind == .orderedDictionary: return
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
