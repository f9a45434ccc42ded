import CKernels
import ONNX

extension Residual {
    /// The residual of images in [0, 1], N x 1 x H x W, as a graph (`map`).
    func graph(input: ONNXValue, reconstruction: ONNXValue) -> ONNXValue {
        let difference = input - reconstruction
        switch self {
        case .l1: return difference.graph.node("Abs", [difference])
        case .l2: return difference * difference
        case .dssim:
            return StructuralLoss(structure: 1, absolute: 0).graph(
                input: input,
                reconstruction: reconstruction
            )
        case .l1DSSIM:
            return StructuralLoss.half.graph(input: input, reconstruction: reconstruction)
        }
    }
}

extension StructuralLoss {
    /// The loss of each pixel, in the same steps as the kernel behind `map`.
    fileprivate func graph(input: ONNXValue, reconstruction: ONNXValue) -> ONNXValue {
        let graph = input.graph
        let (outer, inner) = (Double(aqc_structure_outer), Double(aqc_structure_inner))
        let taps = [outer, inner, Double(aqc_structure_middle), inner, outer]
        let (across, down) = (
            graph.constant(taps, shape: [1, 1, 1, taps.count]),
            graph.constant(taps, shape: [1, 1, taps.count, 1])
        )
        func mean(_ x: ONNXValue) -> ONNXValue {
            x.convolved(across, padding: (0, taps.count / 2)).convolved(down, padding: (taps.count / 2, 0))
        }
        let change = reconstruction - input
        let (inputMean, shift) = (mean(input), mean(change))
        let reconstructionMean = inputMean + shift
        let means = inputMean * inputMean + reconstructionMean * reconstructionMean
        let light = shift * shift / (means + Double(aqc_structure_c1))
        let power = mean(input * input + reconstruction * reconstruction)
        let texture = (mean(change * change) - shift * shift) / (power - means + Double(aqc_structure_c2))
        let loss = graph.node(
            "Clip",
            [light + texture - light * texture, graph.constant([0.0]), graph.constant([1.0])]
        )
        let structural = loss * Double(structure / 2)
        return absolute == 0 ? structural : structural + graph.node("Abs", [change]) * Double(absolute)
    }
}
