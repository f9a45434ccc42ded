import CKernels

/// Pairs of operations of which each is the other's gradient: what one spreads, the other gathers.
extension Variable {
    /// The same values under another shape of the same count.
    package func reshaped(_ shape: [Int]) -> Variable {
        let original = self.shape
        return Variable(value: value.reshaped(shape), inputs: [self]) { [$0.reshaped(original)] }
    }

    /// The sum of all values, a scalar.
    package func sum() -> Variable {
        let shape = self.shape
        // Summed in double: a batch has millions of values.
        let total = value.withSpan { span in
            var total = 0.0
            for i in 0..<span.count { total += Double(span[i]) }
            return Float(total)
        }
        return Variable(value: Tensor([total], shape: []), inputs: [self]) { [$0.filling(shape)] }
    }

    /// A scalar repeated over a whole shape.
    package func filling(_ shape: [Int]) -> Variable {
        Variable(value: Tensor(repeating: value.scalar, shape: shape), inputs: [self]) { [$0.sum()] }
    }

    /// The mean of all values, a scalar.
    package func mean() -> Variable {
        sum().affine(scale: 1 / Float(max(value.count, 1)))
    }

    /// Adds one value per image and channel to every pixel: N x H x W x C plus N x C.
    package func addingChannels(_ channels: Variable) -> Variable {
        let (batch, height, width, depth) = imageAxes
        precondition(channels.shape == [batch, depth], "channels \(channels.shape) for images \(shape)")
        let result = unsafe value.mapped { x, y, _ in
            unsafe aqc_add_channels(x, channels.value.storage.pointer, y, batch, height * width, depth)
        }
        return Variable(value: result, inputs: [self, channels]) { [$0, $0.sumOverPixels()] }
    }

    /// The sum over each image's pixels: N x H x W x C to N x C.
    package func sumOverPixels() -> Variable {
        let (batch, height, width, depth) = imageAxes
        let result = Tensor(uninitialized: [batch, depth])
        unsafe aqc_sum_pixels(
            value.storage.pointer,
            result.storage.pointer,
            batch,
            height * width,
            depth
        )
        return Variable(value: result, inputs: [self]) { [$0.spreadOverPixels(height: height, width: width)] }
    }

    /// One value per image and channel on every pixel: N x C to N x H x W x C.
    package func spreadOverPixels(height: Int, width: Int) -> Variable {
        precondition(shape.count == 2, "N x C expected, not \(shape)")
        let result = Tensor(uninitialized: [shape[0], height, width, shape[1]])
        unsafe aqc_spread_channels(
            value.storage.pointer,
            result.storage.pointer,
            shape[0],
            height * width,
            shape[1]
        )
        return Variable(value: result, inputs: [self]) { [$0.sumOverPixels()] }
    }

    /// Packs each block of pixels into channels: N x H x W x C to N x H/b x W/b x (b b C).
    package func pixelUnshuffled(_ block: Int) -> Variable {
        let (batch, height, width, depth) = imageAxes
        precondition(
            height % block == 0 && width % block == 0,
            "\(height) x \(width) is not a multiple of \(block)"
        )
        let result = Tensor(uninitialized: [batch, height / block, width / block, depth * block * block])
        unsafe aqc_pixel_unshuffle(
            value.storage.pointer,
            result.storage.pointer,
            batch,
            height,
            width,
            depth,
            block
        )
        return Variable(value: result, inputs: [self]) { [$0.pixelShuffled(block)] }
    }

    /// Unpacks channels into blocks of pixels: N x H x W x (b b C) to N x bH x bW x C.
    package func pixelShuffled(_ block: Int) -> Variable {
        let (batch, height, width, depth) = imageAxes
        precondition(depth % (block * block) == 0, "\(depth) channels do not fill blocks of \(block)")
        let shape = [batch, height * block, width * block, depth / (block * block)]
        let result = Tensor(uninitialized: shape)
        unsafe aqc_pixel_shuffle(
            value.storage.pointer,
            result.storage.pointer,
            batch,
            shape[1],
            shape[2],
            shape[3],
            block
        )
        return Variable(value: result, inputs: [self]) { [$0.pixelUnshuffled(block)] }
    }

    /// Repeats each pixel 2 x 2 (nearest neighbour): N x H x W x C to N x 2H x 2W x C.
    package func upsampled() -> Variable {
        let (batch, height, width, depth) = imageAxes
        let result = Tensor(uninitialized: [batch, 2 * height, 2 * width, depth])
        unsafe aqc_upsample(value.storage.pointer, result.storage.pointer, batch, height, width, depth)
        return Variable(value: result, inputs: [self]) { [$0.sumPooled()] }
    }

    /// The sum of these images, doubled (`upsampled`), and others; one kernel where nothing is recorded.
    package func upsampled(adding other: Variable) -> Variable {
        let (batch, height, width, depth) = imageAxes
        let shape = [batch, 2 * height, 2 * width, depth]
        precondition(other.shape == shape, "\(self.shape) doubled and \(other.shape)")
        guard !Recording.isOn else { return upsampled() + other }
        let result = Tensor(uninitialized: shape)
        unsafe aqc_add_upsampled(
            value.storage.pointer,
            other.value.storage.pointer,
            result.storage.pointer,
            batch,
            height,
            width,
            depth
        )
        return Variable(constant: result)
    }

    /// The sum of each 2 x 2 pixels: N x 2H x 2W x C to N x H x W x C; a quarter of it is average pooling.
    package func sumPooled() -> Variable {
        let (batch, height, width, depth) = imageAxes
        precondition(height % 2 == 0 && width % 2 == 0, "\(height) x \(width) cannot be halved")
        let result = Tensor(uninitialized: [batch, height / 2, width / 2, depth])
        unsafe aqc_sum_pool(
            value.storage.pointer,
            result.storage.pointer,
            batch,
            height / 2,
            width / 2,
            depth
        )
        return Variable(value: result, inputs: [self]) { [$0.upsampled()] }
    }

    var imageAxes: (batch: Int, height: Int, width: Int, channels: Int) {
        precondition(shape.count == 4, "N x H x W x C expected, not \(shape)")
        return (shape[0], shape[1], shape[2], shape[3])
    }
}
