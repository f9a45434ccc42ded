import Detection
import Diffusion
import Foundation
import Networks
import Randomness
import Tensors
import TestSupport
import Testing

@Suite(.enabled(if: TestData.fixtures != nil, Comment(rawValue: TestData.missingFixtures)))
struct ImportTests {
    /// What shapes cannot tell about the golden network.
    private func options() throws -> [String] {
        let expected = try ExpectedValues()
        let heads = Int(try expected.number("unet_small", "config", "num_head_channels"))
        let window = Int(try expected.numbers("unet_small", "config", "image_size")[0])
        return ["--head-channels", "\(heads)", "--window", "\(window)"]
    }

    private func fixture(_ name: String) throws -> String {
        try #require(TestData.fixtures).appending(path: name).path
    }

    private func values(_ fixture: Fixture, _ name: String) throws -> Tensor {
        let array = try fixture.floats(name)
        return Tensor(array.values, shape: array.shape)
    }

    @Test(arguments: ["unet_small.ckpt", "unet_small.weights.safetensors"])
    func thePublishedCheckpointBecomesAModelThatPredictsTheSame(file: String) async throws {
        try await withTemporaryFolder { folder in
            let out = folder.appending(path: "model.safetensors").path
            let program = try Program(["import", try fixture(file), "--out", out] + options(), in: folder)
            #expect(try await program.end() == 0)
            #expect(program.said.contains("autoqc calibrate \(out)") && program.said.contains("score --maps"))
            if file.hasSuffix(".ckpt") { #expect(program.said.contains("diffusion.alphas_cumprod")) }

            let (model, _) = try Model.read(path: out)
            #expect(model.description.method == .pddpm)
            #expect(model.description.calibration == nil)
            guard case .unet(let configuration)? = model.description.reference?.network else {
                throw Program.Failure(description: "not a U-Net")
            }
            var random = SplitMix64(state: 1)
            let network = UNet(configuration, using: &random)
            #expect(network.load(model.weights) == [])
            let io = try Fixture("unet_small.io")
            let x = try values(io, "x")
            let (height, width) = (x.shape[2], x.shape[3])
            let images = Variable(constant: x.reshaped([x.shape[0], height, width, 1]))
            let y = Recording.off { network(images, timesteps: (try? io.integers("t").values) ?? []).value }
            let expected = try io.floats("y").values
            let difference = zip(y.values, expected).reduce(0.0) { $0 + pow(Double($1.0 - $1.1), 2) }
            let size = expected.reduce(0.0) { $0 + pow(Double($1), 2) }
            #expect((difference / size).squareRoot() < 1e-4)
        }
    }

    @Test(arguments: [("ae_small", Method.ae), ("vae_small", .vae), ("fanogan_small", .fanogan)])
    func theOtherMethodsAreRecognised(name: String, method: Method) async throws {
        try await withTemporaryFolder { folder in
            let out = folder.appending(path: "model.safetensors").path
            // The golden files hold their inputs and outputs beside the weights.
            var arguments = ["import", try fixture("\(name).safetensors"), "--out", out]
            arguments += ["--skip", "io.", "gradD.", "gradE."]
            if method == .ae { arguments += try options() }
            if method == .vae { arguments += Array(try options().prefix(2)) }
            let program = try Program(arguments, in: folder)
            #expect(try await program.end() == 0, "\(program.said)")
            #expect(try Model.read(path: out).model.description.method == method)
        }
    }

    @Test func whatWeightsCannotTellIsSaidOrHasToFit() async throws {
        try await withTemporaryFolder { folder in
            let out = folder.appending(path: "model.safetensors").path
            let weights = try fixture("unet_small.weights.safetensors")
            func said(_ options: [String]) async throws -> String {
                let program = try Program(["import", weights, "--out", out] + options, in: folder)
                _ = try await program.end()
                return program.said
            }
            let (heads, window) = (Array(try options().prefix(2)), Array(try options().suffix(2)))
            let others = ["--patch", "8", "--timestep", "49", "--noise", "simplex"]
            #expect(try await said(heads + others).contains("assumed to be as published: --window 192\n"))
            #expect(!(try await said(heads + window + others).contains("assumed")))
            try FileManager.default.removeItem(atPath: out)
            #expect(
                try await said(["--head-channels", "7"] + window).contains("attention heads of 7 channels")
            )
            #expect(
                try await said(heads + ["--window", "33"]).contains("window of 33, which is not a multiple")
            )
            #expect(!FileManager.default.fileExists(atPath: out))
        }
    }

    @Test func everythingThatDoesNotFitIsListed() async throws {
        try await withTemporaryFolder { folder in
            var file = try SafeTensors(path: try fixture("unet_small.weights.safetensors"))
            let channels = Int(try ExpectedValues().number("unet_small", "config", "model_channels"))
            file.tensors["out.0.bias"] = nil
            file.tensors["out.0.weight"] = Tensor(repeating: 1, shape: [channels, 2])
            file.tensors["surplus"] = Tensor(repeating: 1, shape: [1])
            let path = folder.appending(path: "odd.safetensors").path
            try file.write(path: path)
            let out = folder.appending(path: "model.safetensors").path
            let program = try Program(["import", path, "--out", out] + options(), in: folder)
            #expect(try await program.end() != 0)
            #expect(program.said.contains("out.0.bias is missing"))
            #expect(program.said.contains("out.0.weight has shape [\(channels), 2] instead of [\(channels)]"))
            #expect(program.said.contains("surplus is not part of the network"))
            #expect(!FileManager.default.fileExists(atPath: out))
        }
    }

    @Test func whatIsNoCheckpointIsRefusedInASentence() async throws {
        try await withTemporaryFolder { folder in
            let notes = folder.appending(path: "notes.ckpt")
            try Data("not a checkpoint at all".utf8).write(to: notes)
            let arguments = ["import", notes.path, "--out", folder.appending(path: "m").path]
            let program = try Program(arguments, in: folder)
            #expect(try await program.end() != 0)
            #expect(program.said.contains("neither a PyTorch checkpoint nor safetensors"))
        }
    }
}
