extension PickleMachine {
    /// Adds a container to the stack.
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

    /// The members of a tuple.
    func tuple(_ value: PickleValue) -> [PickleValue]? {
        guard case .object(let index) = value, objects[index].kind == .tuple else { return nil }
        return objects[index].items
    }

    /// Keys and values of a dictionary whose keys are text, in their order; a later value takes an earlier one's place.
    func entries(_ value: PickleValue) -> [(key: String, value: PickleValue)]? {
        guard case .object(let index) = value else { return nil }
        let object = objects[index]
        guard object.kind == .dictionary || object.kind == .orderedDictionary else { return nil }
        return stride(from: 0, to: object.items.count - 1, by: 2).compactMap { position in
            guard case .text(let key) = object.items[position] else { return nil }
            return (key, object.items[position + 1])
        }
    }
}
