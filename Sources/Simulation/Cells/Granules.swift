import Randomness

/// A cell's granules and nucleus: values of -1 to 1 on a lattice of 16 x 16 points that repeats.
struct Granules {
    let values: [Float]

    init(seed: UInt64) {
        var random = SplitMix64(state: seed)
        values = unsafe [Float](unsafeUninitializedCapacity: 256) { values, count in
            for index in stride(from: 0, to: 256, by: 2) {
                let bits = random.next()
                unsafe values.initializeElement(at: index, to: Float(bits & 0xFFFF) / 32_768 - 1)
                unsafe values.initializeElement(at: index + 1, to: Float(bits >> 16 & 0xFFFF) / 32_768 - 1)
            }
            count = 256
        }
    }
}
