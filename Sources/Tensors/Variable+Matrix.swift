import CKernels

extension Variable {
    /// Matrix product, either factor transposed on request: (m x k) (k x n) to m x n.
    package func multiplied(
        by right: Variable,
        transposingSelf: Bool = false,
        transposingRight: Bool = false
    ) -> Variable {
        let value = self.value.matrixProduct(
            right.value,
            transposingSelf: transposingSelf,
            transposingRight: transposingRight
        )
        return Variable(value: value, inputs: [self, right]) { upstream in
            [
                self.wantsGradient
                    ? upstream.leftGradient(right, transposingSelf, transposingRight) : nil,
                right.wantsGradient
                    ? upstream.rightGradient(self, transposingSelf, transposingRight) : nil,
            ]
        }
    }

    /// The gradient of a product's left factor from that of the product (`self`).
    private func leftGradient(
        _ right: Variable,
        _ transposedLeft: Bool,
        _ transposedRight: Bool
    ) -> Variable {
        transposedLeft
            ? right.multiplied(by: self, transposingSelf: transposedRight, transposingRight: true)
            : multiplied(by: right, transposingRight: !transposedRight)
    }

    /// The gradient of a product's right factor from that of the product (`self`).
    private func rightGradient(
        _ left: Variable,
        _ transposedLeft: Bool,
        _ transposedRight: Bool
    ) -> Variable {
        transposedRight
            ? multiplied(by: left, transposingSelf: true, transposingRight: transposedLeft)
            : left.multiplied(by: self, transposingSelf: !transposedLeft)
    }

    /// Linear layer, `x W^T + b`: x is N x I, weights O x I, bias O.
    package func linear(weights: Variable, bias: Variable) -> Variable {
        let product = multiplied(by: weights, transposingRight: true)
        let (rows, columns) = (product.shape[0], product.shape[1])
        let ones = Variable(constant: Tensor(repeating: 1, shape: [rows, 1]))
        return product + ones.multiplied(by: bias.reshaped([1, columns]))
    }

    /// The sum over the rows of a matrix: R x C to 1 x C, as a product so that it is differentiable.
    func sumOverRows() -> Variable {
        Variable(constant: Tensor(repeating: 1, shape: [1, shape[0]])).multiplied(by: self)
    }

    /// One row repeated: 1 x C to R x C.
    func spreadOverRows(_ count: Int) -> Variable {
        Variable(constant: Tensor(repeating: 1, shape: [count, 1])).multiplied(by: self)
    }
}

extension Tensor {
    func matrixProduct(_ right: Tensor, transposingSelf: Bool, transposingRight: Bool) -> Tensor {
        precondition(
            shape.count == 2 && right.shape.count == 2,
            "matrices expected: \(shape), \(right.shape)"
        )
        let (rows, inner) = transposingSelf ? (shape[1], shape[0]) : (shape[0], shape[1])
        let (rightInner, columns) =
            transposingRight ? (right.shape[1], right.shape[0]) : (right.shape[0], right.shape[1])
        precondition(inner == rightInner, "inner axes differ: \(shape) and \(right.shape)")
        let result = Tensor(uninitialized: [rows, columns])
        KernelTimes.measure(.product, operations: 2 * Double(rows) * Double(columns) * Double(inner)) {
            let left = unsafe MatrixView(storage.pointer, shape[1], isTransposed: transposingSelf)
            let other = unsafe MatrixView(
                right.storage.pointer,
                right.shape[1],
                isTransposed: transposingRight
            )
            let product = unsafe MatrixView(result.storage.pointer, columns)
            MatrixView.multiply(left, other, into: product, (rows, columns, inner))
        }
        return result
    }
}

extension Variable {
    /// Scaled dot-product self-attention in heads: N x T x 3C, queries, keys and values one after another, to N x T x C.
    ///
    /// Vaswani et al. 2017, section 3.2. Head h takes channels h `headChannels` to (h + 1) `headChannels` of each of
    /// the three. The scores of a few queries at a time are kept, never all T x T.
    package func selfAttention(headChannels: Int) -> Variable {
        let layout = AttentionLayout(shape, headChannels: headChannels)
        let result = KernelTimes.measure(.attention, operations: layout.operations) { layout.forward(value) }
        return Variable(value: result, inputs: [self]) { [self] upstream in
            if Recording.isOn {
                return composedSelfAttention(layout).propagated(upstream, to: [self])
            }
            return [Variable(constant: layout.gradient(value, upstream: upstream.value))]
        }
    }

    /// The same from operations that can be differentiated as often as one likes.
    private func composedSelfAttention(_ layout: AttentionLayout) -> Variable {
        let (tokens, width, head) = (layout.tokens, layout.width, layout.head)
        let rows = reshaped([layout.batch * tokens, 3 * width])
        let images = (0..<layout.batch).map { image in
            let all = rows.rows(image * tokens..<(image + 1) * tokens)
            let heads = stride(from: 0, to: width, by: head).map { first in
                let (query, key, value) = (
                    all.channels(first..<first + head), all.channels(width + first..<width + first + head),
                    all.channels(2 * width + first..<2 * width + first + head)
                )
                let scores = query.multiplied(by: key, transposingRight: true)
                return scores.softmax(scale: layout.scale).multiplied(by: value)
            }
            return heads.dropFirst().reduce(heads[0]) { $0.concatenatingChannels(of: $1) }
                .reshaped([1, tokens * width])
        }
        return images.dropFirst().reduce(images[0]) { $0.concatenatingChannels(of: $1) }
            .reshaped([layout.batch, tokens, width])
    }

    /// Each row of a matrix as shares of one: `exp(scale x)` over the row's sum of it.
    package func softmax(scale: Float = 1) -> Variable {
        precondition(shape.count == 2, "a matrix expected, not \(shape)")
        let (rows, columns) = (shape[0], shape[1])
        var result = value
        result.makeUnique()
        unsafe aqc_softmax(result.storage.pointer, rows, columns, scale)
        return Variable(value: result, inputs: [self]) { [self] upstream in
            let shares = softmax(scale: scale)
            let ones = Variable(constant: Tensor(repeating: 1, shape: [columns, columns]))
            let means = (upstream * shares).multiplied(by: ones)
            return [(shares * (upstream - means)).affine(scale: scale)]
        }
    }
}

/// Where queries, keys and values lie in N x T x 3C, and the products between them.
private struct AttentionLayout {
    /// Queries whose scores are kept at a time: a block of scores stays in the cache.
    private static let queries = 128

    let batch: Int
    let tokens: Int
    let width: Int
    let head: Int
    var scale: Float { 1 / Float(head).squareRoot() }
    /// Of the scores and of the sums of values.
    var operations: Double { 4 * Double(batch * width) * Double(tokens) * Double(tokens) }

    init(_ shape: [Int], headChannels: Int) {
        precondition(
            shape.count == 3 && headChannels > 0 && shape[2] % (3 * headChannels) == 0,
            "heads of \(headChannels) channels do not fit queries, keys and values of shape \(shape)"
        )
        (batch, tokens, width, head) = (shape[0], shape[1], shape[2] / 3, headChannels)
    }

    func forward(_ input: Tensor) -> Tensor {
        let result = Tensor(uninitialized: [batch, tokens, width])
        let scores = Tensor(uninitialized: [Self.queries, tokens])
        forEachBlock { image, first, token, count in
            let part = { unsafe self.part($0, of: input, image: image, first: first) }
            let query = unsafe part(0).advanced(by: token * 3 * width)
            let target = unsafe result.storage.pointer.advanced(
                by: (image * tokens + token) * width + first
            )
            unsafe shares(query, part(1), scores, count: count)
            unsafe MatrixView.multiply(
                MatrixView(scores.storage.pointer, tokens),
                MatrixView(part(2), 3 * width),
                into: MatrixView(target, width),
                (count, head, tokens)
            )
        }
        return result
    }

    /// The gradient of the input, from scores that are computed again.
    func gradient(_ input: Tensor, upstream: Tensor) -> Tensor {
        let result = Tensor(repeating: 0, shape: input.shape)
        let scores = Tensor(uninitialized: [Self.queries, tokens])
        let slopes = Tensor(uninitialized: [Self.queries, tokens])
        forEachBlock { image, first, token, count in
            func part(_ index: Int, of tensor: Tensor) -> MatrixView {
                unsafe MatrixView(self.part(index, of: tensor, image: image, first: first), 3 * width)
            }
            let offset = token * 3 * width
            let query = unsafe MatrixView(part(0, of: input).pointer.advanced(by: offset), 3 * width)
            let ofQuery = unsafe MatrixView(part(0, of: result).pointer.advanced(by: offset), 3 * width)
            let above = unsafe MatrixView(
                upstream.storage.pointer.advanced(by: (image * tokens + token) * width + first),
                width
            )
            let (p, s) = unsafe (
                MatrixView(scores.storage.pointer, tokens), MatrixView(slopes.storage.pointer, tokens)
            )
            unsafe shares(query.pointer, part(1, of: input).pointer, scores, count: count)
            MatrixView.multiply(
                p.transposed,
                above,
                into: part(2, of: result),
                (tokens, head, count),
                adding: true
            )
            MatrixView.multiply(above, part(2, of: input).transposed, into: s, (count, tokens, head))
            unsafe aqc_softmax_gradient(p.pointer, s.pointer, count, tokens, scale)
            MatrixView.multiply(s, part(1, of: input), into: ofQuery, (count, head, tokens))
            MatrixView.multiply(
                s.transposed,
                query,
                into: part(1, of: result),
                (tokens, head, count),
                adding: true
            )
        }
        return result
    }

    /// Each image, first channel of a head, first query of a block and number of its queries.
    private func forEachBlock(_ body: (_ image: Int, _ first: Int, _ token: Int, _ count: Int) -> Void) {
        for image in 0..<batch {
            for first in stride(from: 0, to: width, by: head) {
                for token in stride(from: 0, to: tokens, by: Self.queries) {
                    body(image, first, token, min(Self.queries, tokens - token))
                }
            }
        }
    }

    /// One head's queries (0), keys (1) or values (2) of one image.
    private func part(_ index: Int, of tensor: Tensor, image: Int, first: Int) -> UnsafeMutablePointer<Float>
    {
        unsafe tensor.storage.pointer.advanced(by: (image * tokens * 3 + index) * width + first)
    }

    /// How much each query of a block takes from each token.
    private func shares(
        _ query: UnsafeMutablePointer<Float>,
        _ key: UnsafeMutablePointer<Float>,
        _ scores: Tensor,
        count: Int
    ) {
        unsafe MatrixView.multiply(
            MatrixView(query, 3 * width),
            MatrixView(key, 3 * width).transposed,
            into: MatrixView(scores.storage.pointer, tokens),
            (count, tokens, head)
        )
        unsafe aqc_softmax(scores.storage.pointer, count, tokens, scale)
    }
}
