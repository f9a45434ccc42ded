/// Remembers the latest values that went through, in bounded memory.
///
/// Keeps 64-bit hashes in two generations; when the younger is full it becomes the older and the oldest half
/// is forgotten. A million hashes a generation cost at most about 2 x 16 MiB and, at eight frames a second,
/// reach back a day and a half. What is forgotten and still lies there is reported again after a rescan:
/// whoever keeps the ledger recognises it. Two values share a hash once in 10^13 questions.
struct RecentSet<Value: Hashable> {
    private var young: Set<Int> = []
    private var old: Set<Int> = []
    private let generation: Int

    /// An empty set that remembers between one and two times so many values.
    init(generation: Int = 1 << 20) {
        precondition(generation > 0, "a generation of \(generation) values")
        self.generation = generation
    }

    /// Whether nothing is remembered.
    var isEmpty: Bool { young.isEmpty }

    /// Whether the value is remembered.
    func contains(_ value: Value) -> Bool {
        young.contains(value.hashValue) || old.contains(value.hashValue)
    }

    /// Remembers the value; `false` where it was remembered already.
    @discardableResult
    mutating func insert(_ value: Value) -> Bool {
        guard !contains(value) else { return false }
        if young.count >= generation {
            old = young
            young = []
        }
        young.insert(value.hashValue)
        return true
    }
}
