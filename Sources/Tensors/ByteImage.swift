import CKernels

/// One image of bytes, height x width x channels, channels contiguous.
///
/// The memory is shared by copies of this description; convolutions write into it. One thread at a time.
package struct ByteImage {
    /// Height, width, channels.
    package let shape: [Int]
    /// What the bytes mean.
    package let scale: ByteScale
    let storage: TensorStorage

    /// Makes room for an image.
    package init(shape: [Int], scale: ByteScale) {
        precondition(shape.count == 3, "bytes of shape \(shape)")
        self.shape = shape
        self.scale = scale
        // Convolution kernels load whole vectors, up to 64 bytes beyond the last one.
        storage = TensorStorage(count: (shape.reduce(1, *) + 64 + 3) / 4)
    }

    private init(shape: [Int], scale: ByteScale, storage: TensorStorage) {
        (self.shape, self.scale, self.storage) = (shape, scale, storage)
    }

    /// The same memory for values of another scale; its content must be written again.
    package func rescaled(_ scale: ByteScale) -> ByteImage {
        ByteImage(shape: shape, scale: scale, storage: storage)
    }

    var pointer: UnsafeMutablePointer<UInt8> {
        unsafe UnsafeMutableRawPointer(storage.pointer).assumingMemoryBound(to: UInt8.self)
    }

    /// How much finer the second byte of a pixel is than the first.
    package static let finer: Float = 16

    /// Writes an image of one channel, 1 x H x W x 1, after a pixel unshuffle: squares of `side` x `side` pixels become channels,
    /// each pixel in two bytes.
    ///
    /// The first `side` x `side` channels hold the pixels, the others `finer` times what these lose by rounding: what enters
    /// a network rounded to 256 steps would take flat ground, which is most of a frame, for noise.
    package func quantise(_ image: Tensor, unshuffle side: Int) {
        precondition(
            image.shape == [1, shape[0] * side, shape[1] * side, 1] && shape[2] == 2 * side * side,
            "unshuffle \(side) of \(image.shape) for \(shape)"
        )
        unsafe aqc_quantise_unshuffled(
            image.storage.pointer,
            pointer,
            image.shape[1],
            image.shape[2],
            side,
            scale.step,
            scale.zero,
            Self.finer
        )
    }

    /// Adds an image of half the size, each of its pixels repeated 2 x 2; the sum has the scale given.
    package func adding(upsampled low: ByteImage, scale sum: ByteScale) -> ByteImage {
        precondition(
            shape == [2 * low.shape[0], 2 * low.shape[1], low.shape[2]],
            "\(low.shape) is not half of \(shape)"
        )
        let (lowFactor, factor) = (low.scale.step / sum.step, scale.step / sum.step)
        unsafe aqc_join_upsampled(
            low.pointer,
            pointer,
            low.shape[0],
            low.shape[1],
            shape[2],
            lowFactor,
            factor,
            Float(sum.zero) - lowFactor * Float(low.scale.zero) - factor * Float(scale.zero)
        )
        return rescaled(sum)
    }
}

/// What the bytes of an image mean: value = step * (byte - zero).
///
/// Jacob et al. 2018, equation 1. Zero is a byte of its own, so that what lies beyond the border is held exactly.
package struct ByteScale: Sendable, Equatable {
    /// The difference of two neighbouring bytes, above 0.
    package let step: Float
    /// The byte that means 0.
    package let zero: Int32

    private static let largest: Float = 255
    /// For an image that is all but zero.
    private static let smallestStep: Float = 1e-8

    /// The finest scale that holds a range and 0; what lies outside saturates.
    package init(holding range: ClosedRange<Float>) {
        let (low, high) = (min(range.lowerBound, 0), max(range.upperBound, 0))
        step = max((high - low) / Self.largest, Self.smallestStep)
        // A range that is no number has no zero.
        zero = Int32(exactly: min((-low / step).rounded(), Self.largest)) ?? 0
    }
}

extension [ClosedRange<Float>] {
    /// Widens each range so that it holds that of another image, too; ranges of no image become those of the other.
    package mutating func unite(with other: Self) {
        guard !isEmpty else { return self = other }
        self = zip(self, other).map {
            Swift.min($0.lowerBound, $1.lowerBound)...Swift.max($0.upperBound, $1.upperBound)
        }
    }
}
