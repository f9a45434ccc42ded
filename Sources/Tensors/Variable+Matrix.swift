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
