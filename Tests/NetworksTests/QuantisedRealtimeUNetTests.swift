import Networks
import Tensors
import TestSupport
import Testing

struct QuantisedRealtimeUNetTests {
    @Test func rangesAreTakenOverNumbersOnly() {
        #expect(Tensor([.nan, -2, 3, .nan], shape: [4]).range == -2...3)
        #expect(Tensor([.nan], shape: [1]).range == 0...0)
        var ranges: [ClosedRange<Float>] = []
        ranges.unite(with: [-1...1, 0...2])
        ranges.unite(with: [-0.5...4, -3...1])
        #expect(ranges == [-1...4, -3...2])
    }

    @Test(arguments: [4, 8])
    func predictsWhatFloatsDoWithinTheStepsOfBytes(unshuffle: Int) throws {
        var random = TestGenerator(seed: 3)
        let architecture = try #require(
            RealtimeUNet.Architecture(
                unshuffle: unshuffle,
                channels: [16, 24, 32],
                blocks: [1, 1, 2],
                embedding: 8
            )
        )
        let network = RealtimeUNet(architecture, using: &random).folded(timestep: 49)
        let image = Tensor(random.floats(96 * 160), shape: [1, 96, 160, 1])
        let exact = Recording.off { network(Variable(constant: image), timesteps: [49]).value.values }
        let ranges = network.ranges(of: image)
        #expect(ranges.count == network.rangeCount)
        let quantised = QuantisedRealtimeUNet(network, ranges: ranges)
        let lane = Compute.Lane()
        let first = lane.run { quantised(image).values }
        // Some twenty roundings on the way, each with an error of about half a hundredth (a step of 1/255 of the range, over
        // sqrt(12), where the typical value is a quarter of it), add up as sqrt(20); weights have a step of 1/64 of the
        // largest; and a few values saturate.
        #expect(relativeError(first, exact) < 0.06)
        // A plan is used again and again, whatever came before.
        let other = Tensor(random.floats(96 * 160), shape: [1, 96, 160, 1])
        _ = lane.run { quantised(other) }
        #expect(lane.run { quantised(image).values } == first)
    }

    /// What this package's own kernels compute on CPUs that have them, oneDNN's compute elsewhere.
    @Test func ownKernelsAndTheLibraryAgree() {
        var random = TestGenerator(seed: 4)
        let network = RealtimeUNet(.standard, using: &random).folded(timestep: 49)
        let image = Tensor(random.floats(96 * 160), shape: [1, 96, 160, 1])
        let pass = { Recording.off { network(Variable(constant: image), timesteps: [49]).value.values } }
        let (exact, ranges) = (pass(), network.ranges(of: image))
        let lane = Compute.Lane()
        let bytes = { lane.run { QuantisedRealtimeUNet(network, ranges: ranges)(image).values } }
        let own = relativeError(bytes(), exact)
        let library = relativeError(Compute.withLibraryConvolutions(bytes), exact)
        // Where a value lies between two bytes, one may take the other neighbour, and every later rounding with it: neither is
        // nearer to the floats.
        #expect(own < 0.06 && own < 1.1 * library && library < 1.1 * own)
        guard Precision.bfloat16.isSupported else { return }
        let floats = { Precision.bfloat16.run(pass) }
        let (narrow, before) = (floats(), Compute.withLibraryConvolutions(floats))
        #expect(relativeError(narrow, before) < 0.002)
    }
}
