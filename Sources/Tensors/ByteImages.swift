import CKernels

/// One image of signed bytes, height x width x channels, channels contiguous: value = scale * byte.
///
/// The memory is shared by copies of this description; convolutions write into it. One thread at a time.
public struct ByteImage {
    /// Height, width, channels.
    public let shape: [Int]
    /// The value of one unit.
    public let scale: Float
    let storage: TensorStorage

    /// Makes room for an image.
    public init(shape: [Int], scale: Float) {
        precondition(shape.count == 3 && scale > 0, "bytes of shape \(shape) and scale \(scale)")
        self.shape = shape
        self.scale = scale
        // Convolution kernels load whole vectors, up to 64 bytes beyond the last one.
        storage = TensorStorage(count: (shape.reduce(1, *) + 64 + 3) / 4)
    }

    private init(shape: [Int], scale: Float, storage: TensorStorage) {
        (self.shape, self.scale, self.storage) = (shape, scale, storage)
    }

    /// The same memory for values of another scale; what is in it is to be written anew.
    public func rescaled(_ scale: Float) -> ByteImage {
        ByteImage(shape: shape, scale: scale, storage: storage)
    }

    var pointer: UnsafeMutablePointer<Int8> {
        unsafe UnsafeMutableRawPointer(storage.pointer).assumingMemoryBound(to: Int8.self)
    }

    /// Takes in an image of one channel, 1 x H x W x 1: cells of `side` x `side` pixels become channels.
    public func takeCells(of image: Tensor, side: Int) {
        precondition(
            image.shape == [1, shape[0] * side, shape[1] * side, 1] && shape[2] == side * side,
            "cells of \(side) of \(image.shape) for \(shape)"
        )
        unsafe aqc_quantise_cells(
            image.storage.pointer,
            pointer,
            image.shape[1],
            image.shape[2],
            side,
            scale
        )
    }

    /// Adds an image of half the size, each of its pixels repeated 2 x 2; the sum has the scale given.
    public func adding(upsampled low: ByteImage, scale sum: Float) -> ByteImage {
        precondition(
            shape == [2 * low.shape[0], 2 * low.shape[1], low.shape[2]],
            "\(low.shape) is not half of \(shape)"
        )
        unsafe aqc_join_upsampled(
            low.pointer,
            pointer,
            low.shape[0],
            low.shape[1],
            shape[2],
            low.scale / sum,
            scale / sum
        )
        return rescaled(sum)
    }
}
