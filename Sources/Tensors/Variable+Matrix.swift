import COpenBLAS

extension Variable {
    /// Matrix product, either factor transposed on request: (m x k) (k x n) to m x n.
    public func multiplied(
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
            let left =
                transposingSelf
                ? right.multiplied(by: upstream, transposingSelf: transposingRight, transposingRight: true)
                : upstream.multiplied(by: right, transposingRight: !transposingRight)
            let rightGradient =
                transposingRight
                ? upstream.multiplied(by: self, transposingSelf: true, transposingRight: transposingSelf)
                : self.multiplied(by: upstream, transposingSelf: !transposingSelf)
            return [left, rightGradient]
        }
    }

    /// Linear layer, `x W^T + b`: x is N x I, weights O x I, bias O.
    public func linear(weights: Variable, bias: Variable) -> Variable {
        let product = multiplied(by: weights, transposingRight: true)
        let (rows, columns) = (product.shape[0], product.shape[1])
        let ones = Variable(constant: Tensor(repeating: 1, shape: [rows, 1]))
        return product + ones.multiplied(by: bias.reshaped([1, columns]))
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
        Profile.measure(.product, operations: 2 * Double(rows) * Double(columns) * Double(inner)) {
            unsafe cblas_sgemm(
                CblasRowMajor,
                transposingSelf ? CblasTrans : CblasNoTrans,
                transposingRight ? CblasTrans : CblasNoTrans,
                Int32(rows),
                Int32(columns),
                Int32(inner),
                1,
                storage.pointer,
                Int32(shape[1]),
                right.storage.pointer,
                Int32(right.shape[1]),
                0,
                result.storage.pointer,
                Int32(columns)
            )
        }
        return result
    }
}
