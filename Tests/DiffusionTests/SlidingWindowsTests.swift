import Foundation
import Networks
import Plate
import Tensors
import TestSupport
import Testing

@testable import Diffusion

struct SlidingWindowsTests {
    @Test(.enabled(if: TestData.fixtures != nil, Comment(rawValue: TestData.missingFixtures)))
    func agreesWithPublishedPositions() throws {
        let expected = try ExpectedValues()
        let keys = try expected.keys().filter { $0.hasPrefix("sliding_") }
        #expect(!keys.isEmpty)
        for key in keys {
            // sliding_HEIGHTxWIDTH_roiWINDOW_overlapSHARE
            let parts = key.split(separator: "_")
            let size = parts[1].split(separator: "x").compactMap { Int($0) }
            let window = try #require(Int(parts[2].dropFirst("roi".count)))
            let overlap = try #require(Double(parts[3].dropFirst("overlap".count)))
            let sliding = SlidingWindows(window: window, overlap: overlap)
            let positions = sliding.positions(height: size[0], width: size[1])
            let flat = positions.flatMap { [Double($0.row), Double($0.column)] }
            #expect(try Double(positions.count) == expected.number(key, "count"))
            #expect(try Double(sliding.interval) == expected.number(key, "interval"))
            let first = try expected.numbers(key, "first")
            #expect(Array(flat.prefix(first.count)) == first)
            #expect(try Array(flat.suffix(2)) == expected.numbers(key, "last"))
        }
    }

    @Test(arguments: [(64, 0.8), (64, 0), (7, 0.5), (5, 0.99)], [(64, 64), (100, 140), (65, 300), (3, 200)])
    func everyPixelIsCoveredAndNoWindowLeavesTheFrame(kind: (Int, Double), size: (Int, Int)) {
        let sliding = SlidingWindows(window: kind.0, overlap: kind.1)
        for length in [size.0, size.1] {
            let starts = sliding.starts(length: length)
            let padded = max(length, kind.0)
            #expect(starts == Array(Set(starts)).sorted())
            #expect(starts.first == 0 && starts.last == padded - kind.0)
            #expect(zip(starts, starts.dropFirst()).allSatisfy { $1 - $0 <= sliding.interval })
        }
    }

    @Test func cropsAreCentredAndPaddedWithZeros() {
        let frame = Frame(height: 4, width: 6, pixels: (0..<24).map { Float($0) })
        #expect(frame.centreCrop(2).pixels == [8, 9, 14, 15])
        let padded = frame.centreCrop(8)
        #expect((padded.height, padded.width) == (8, 8))
        #expect(padded[1, 4] == 0)
        #expect(padded[2, 1] == 0 && padded[5, 6] == 23)
        #expect(padded.pixels.reduce(0, +) == frame.pixels.reduce(0, +))
    }
}

/// The golden whole frame: windows, patches, noise and blending around the network of `unet_small`.
struct SlidingReconstructionTests {
    /// The published patch is half a window; window and frame size come from the file.
    private static let overlap = 0.8

    @Test(.enabled(if: TestData.fixtures != nil, Comment(rawValue: TestData.missingFixtures)))
    func agreesWithPublishedImportance() throws {
        let fixture = try Fixture("pddpm_sliding")
        for name in fixture.names where name.hasPrefix("importance_map_") {
            let expected = try fixture.floats(name)
            let sliding = SlidingWindows(window: expected.shape[0], overlap: Self.overlap)
            #expect(largestDifference(sliding.importance, expected.values) < 1e-6)
        }
    }

    @Test(.enabled(if: TestData.fixtures != nil, Comment(rawValue: TestData.missingFixtures)))
    func agreesWithPublishedWindowAndWhole() throws {
        let fixture = try Fixture("pddpm_sliding")
        let image = try fixture.floats("image01")
        let (height, width) = (image.shape[2], image.shape[3])
        let windows = try Self.windows(fixture)
        let reconstructor = ReferenceReconstructor(settings: windows.settings, windows: windows)
        let frame = Frame(height: height, width: width, pixels: image.values)
        let corner = frame.window(
            row: 0,
            column: 0,
            height: windows.settings.window,
            width: windows.settings.window
        )
        let window = windows.reconstruct(corner.pixels, from: 0, noise: windows.noise)
        #expect(try relativeError(window, fixture.floats("window_reconstruction").values) < 1e-4)
        var reports: [ReconstructionProgress] = []
        let whole = reconstructor.reconstruct(frame, noise: windows.noise) { reports.append($0) }
        #expect(try relativeError(whole.pixels, fixture.floats("sliding_reconstruction").values) < 1e-4)
        let passes = reconstructor.passes(height: height, width: width)
        #expect(reports.last?.done == passes && reports.last?.secondsLeft == 0)
        #expect(reports.allSatisfy { $0.all == passes })
    }

    private static func windows(_ fixture: Fixture) throws -> WindowReconstructor {
        var random = TestGenerator(seed: 1)
        let noise = try fixture.floats("noise")
        let network = UNet(try PublishedNetworks.unet(), using: &random)
        #expect(try network.load(published: PublishedNetworks.tensors("unet_small.weights")).isEmpty)
        var settings = ReferenceSettings(published: .pddpm)
        settings.network = .unet(try PublishedNetworks.unet())
        settings.window = noise.shape[2]
        settings.patch = noise.shape[2] / 2
        settings.overlap = overlap
        return WindowReconstructor(
            method: .pddpm,
            settings: settings,
            noise: WindowNoise(noise.values),
            predict: ReferenceNetwork.unet(network).reconstructed
        )
    }
}

/// The small networks of the golden values.
enum PublishedNetworks {
    /// The configuration that `expected.json` gives the U-Net.
    static func unet() throws -> UNetConfiguration {
        let expected = try ExpectedValues()
        let number = { (key: String) in Int(try expected.number("unet_small", "config", key)) }
        var configuration = UNetConfiguration()
        configuration.channels = try number("model_channels")
        configuration.residualBlocks = try number("num_res_blocks")
        configuration.headChannels = try number("num_head_channels")
        configuration.multipliers = try expected.numbers("unet_small", "config", "channel_mult").map {
            Int($0)
        }
        // Given as the factors by which a level is smaller.
        let factors = try expected.numbers("unet_small", "config", "attention_resolutions")
        configuration.attentionLevels = configuration.multipliers.indices.filter {
            factors.contains(Double(1 << $0))
        }
        configuration.conditioning = try number("use_scale_shift_norm") == 1 ? .scaleShift : .added
        return configuration
    }

    static func tensors(_ name: String) throws -> [String: Tensor] {
        let fixture = try Fixture(name)
        return try Dictionary(
            uniqueKeysWithValues: fixture.names.map { name in
                let found = try fixture.floats(name)
                return (name, Tensor(found.values, shape: found.shape))
            }
        )
    }
}
