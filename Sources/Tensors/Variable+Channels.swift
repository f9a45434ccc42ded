import CKernels

/// Taking channels apart and putting them together; each is made of the other's gradient.
extension Variable {
    /// The channels of both, this one's first: A and B of them make A + B.
    package func concatenatingChannels(of other: Variable) -> Variable {
        let (width, more) = (channelCount, other.channelCount)
        precondition(shape.dropLast() == other.shape.dropLast(), "\(shape) and \(other.shape) differ")
        var result = Tensor(uninitialized: shape.dropLast() + [width + more])
        result.copyChannels(of: value, from: 0, to: 0, count: width)
        result.copyChannels(of: other.value, from: 0, to: width, count: more)
        return Variable(value: result, inputs: [self, other]) {
            [$0.channels(0..<width), $0.channels(width..<width + more)]
        }
    }

    /// A range of the channels.
    package func channels(_ range: Range<Int>) -> Variable {
        let width = channelCount
        precondition(range.upperBound <= width, "channels \(range) of \(width)")
        var result = Tensor(uninitialized: shape.dropLast() + [range.count])
        result.copyChannels(of: value, from: range.lowerBound, to: 0, count: range.count)
        return Variable(value: result, inputs: [self]) {
            [$0.spreadChannels(to: range.lowerBound, of: width)]
        }
    }

    /// These channels at an offset among `width`, the others zero.
    private func spreadChannels(to offset: Int, of width: Int) -> Variable {
        let count = channelCount
        var result = Tensor(repeating: 0, shape: shape.dropLast() + [width])
        result.copyChannels(of: value, from: 0, to: offset, count: count)
        return Variable(value: result, inputs: [self]) { [$0.channels(offset..<offset + count)] }
    }

    /// A range of the rows of a matrix.
    func rows(_ range: Range<Int>) -> Variable {
        let width = channelCount
        return reshaped([1, value.count]).channels(range.lowerBound * width..<range.upperBound * width)
            .reshaped([range.count, width])
    }

    /// The mean of each 2 x 2 pixels: N x 2H x 2W x C to N x H x W x C.
    package func averagePooled() -> Variable { sumPooled().affine(scale: 0.25) }

    private var channelCount: Int {
        precondition(!shape.isEmpty, "a scalar has no channels")
        return shape[shape.count - 1]
    }
}

extension Tensor {
    fileprivate mutating func copyChannels(of source: Tensor, from start: Int, to offset: Int, count: Int) {
        let (width, sourceWidth) = (shape[shape.count - 1], source.shape[source.shape.count - 1])
        unsafe aqc_copy_columns(
            source.storage.pointer,
            sourceWidth,
            start,
            storage.pointer,
            width,
            offset,
            shape.dropLast().reduce(1, *),
            count
        )
    }
}
