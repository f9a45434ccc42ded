import Foundation
import Tensors
import TestSupport
import Testing

struct OptimiserTests {
    @Test func adamFollowsItsAlgorithm() {
        var random = TestGenerator(seed: 5)
        let start = random.floats(9)
        let parameter = Variable(parameter: Tensor(start, shape: [9]))
        var adam = Adam(shapes: [[9]])
        var x = start.map { Double($0) }
        var m = [Double](repeating: 0, count: 9)
        var v = m
        for step in 1...7 {
            let gradient = random.floats(9)
            adam.update([parameter], gradients: [Tensor(gradient, shape: [9])], learningRate: 0.01)
            for i in 0..<9 {
                let g = Double(gradient[i])
                m[i] = 0.9 * m[i] + 0.1 * g
                v[i] = 0.999 * v[i] + 0.001 * g * g
                let size = (v[i] / (1 - pow(0.999, Double(step)))).squareRoot() + 1e-8
                x[i] -= 0.01 * m[i] / (1 - pow(0.9, Double(step))) / size
            }
        }
        #expect(relativeError(parameter.value.values, x.map { Float($0) }) < 1e-5)
    }

    @Test func averageStartsShortAndSettles() {
        let parameter = Variable(parameter: Tensor([4], shape: [1]))
        var average = MovingAverage([Tensor([0], shape: [1])], decay: 0.9)
        for _ in 0..<200 { average.update([parameter]) }
        #expect(abs(average.values[0].scalar - 4) < 1e-4)
    }

    @Test func learningRateRisesThenFalls() {
        let schedule = LearningRateSchedule(peak: 1, warmup: 10, steps: 110, finalShare: 0.1)
        #expect(schedule.rate(at: 0) == 0.1)
        #expect(schedule.rate(at: 9) == 1)
        #expect(abs(schedule.rate(at: 60) - 0.55) < 1e-5)
        #expect(abs(schedule.rate(at: 110) - 0.1) < 1e-5)
        #expect(schedule.rate(at: 5000) == schedule.rate(at: 110))
    }
}
