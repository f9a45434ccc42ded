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
    /// The containers built so far.
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
        case .long1: stack.append(long(try reader.take(UInt64(try reader.byte()))))
        case .long4: stack.append(long(try reader.take(try reader.number(width: 4))))
        case .binFloat:
            _ = try reader.take(8)
            stack.append(.opaque)
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
            _ = try reader.take(count)
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
        CheckpointError(code: code, path: path, detail: "data.pkl \(clause)")
    }

    func refused(_ clause: String) -> CheckpointError {
        failure(.refused, "\(clause), which is no part of a state dict")
    }

    private func underflow() -> CheckpointError {
        failure(.damaged, "takes a value at byte \(offset) that is not there")
    }
}
