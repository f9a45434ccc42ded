import Tensors
import TestSupport
import Testing

/// Holds the first and second derivatives of a function of 24 values against finite differences, the second through a
/// differentiable first one.
func expectTwiceDifferentiable(
    _ name: String,
    at point: [Float],
    weights: [Float],
    step: Float,
    _ function: @escaping (Variable) -> Variable
) {
    let weights = Variable(constant: Tensor(weights, shape: [24]))
    func value(_ p: [Float]) -> (Variable, Variable) {
        let x = Variable(parameter: Tensor(p, shape: [24]))
        return ((function(x) * weights).sum(), x)
    }
    func slope(_ p: [Float]) -> (Variable, Variable) {
        let (y, x) = value(p)
        let g = gradients(of: y, with: [x], differentiable: true)[0]
        return ((g * g).sum(), x)
    }
    for (order, scalar) in [value, slope].enumerated() {
        let (y, x) = scalar(point)
        let found = gradients(of: y, with: [x])[0].value.values
        let expected = finiteDifferences(at: point, coordinates: Array(0..<24), step: step) {
            Double(scalar($0).0.value.scalar)
        }
        #expect(relativeError(found, expected) < 1e-2, "\(name), derivative \(order + 1)")
    }
}
