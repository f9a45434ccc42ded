import Detection
import Diffusion
import Digests
import Foundation
import Frames
import Plate
import TestSupport
import Testing

/// `model show`, `model set`, `export-model`, and `import` of what that wrote.
struct ModelCommandTests {
    private let frames = ["01_A1_f300", "01_B1_f100"].map {
        packageRoot.appending(path: "examples/frames/\($0).tiff").path
    }

    private func run(_ arguments: String..., in folder: URL) async throws -> Program {
        let program = try Program(arguments, in: folder)
        #expect(try await program.end() == 0, "\(program.said)")
        return program
    }

    private func bytes(_ path: String) throws -> Data { try Data(contentsOf: URL(filePath: path)) }

    @Test func aModelGoesToONNXAndBackByteForByte() async throws {
        try await withTemporaryFolder { folder in
            let (onnx, back) = ("\(folder.path)/m.onnx", "\(folder.path)/m.safetensors")
            _ = try await run("export-model", Program.model, "--onnx", onnx, in: folder)
            _ = try await run("import", onnx, "--out", back, in: folder)
            #expect(try bytes(back) == bytes(Program.model))
            let rows = try await run("score", "--model", back, frames[0], frames[1], in: folder).table
            #expect(rows.map { $0["verdict"] } == ["normal", "faulty"])
        }
    }

    @Test func filesThatCannotBeImportedAreRefusedWithWhatToDo() async throws {
        try await withTemporaryFolder { folder in
            func refusal(_ content: Data, _ options: String...) async throws -> String {
                let path = folder.appending(path: "given.onnx")
                try content.write(to: path)
                let out = folder.appending(path: "out.safetensors").path
                let program = try Program(["import", path.path, "--out", out] + options, in: folder)
                #expect(try await program.end() != 0)
                #expect(!FileManager.default.fileExists(atPath: out))
                return program.said
            }
            #expect(try await refusal(Data()).contains("no ONNX file"))
            #expect(try await refusal(Data(repeating: 0xFF, count: 100)).contains("no ONNX file"))
            // `ir_version` and the producer: a file of another program.
            let other = Data([0x08, 0x08, 0x12, 0x07] + "pytorch".utf8)
            #expect(try await refusal(other).contains("of pytorch, but no autoqc model"))
            #expect(try await refusal(other, "--timestep", "9").contains("--timestep: for checkpoints"))
            let model = "\(folder.path)/m.onnx"
            _ = try await run("export-model", Program.model, "--onnx", model, in: folder)
            let whole = try bytes(model)
            #expect(try await refusal(whole.prefix(whole.count / 2)).contains("ends too early"))
        }
    }

    @Test func theShippedCardIsWhatTheProgramPrints() async throws {
        try await withTemporaryFolder { folder in
            let shown = try await run("model", "show", "--card", Program.model, in: folder)
            let card = Program.model.replacing(".safetensors", with: ".md")
            #expect(shown.printed == (try String(contentsOfFile: card, encoding: .utf8)))
        }
    }

    @Test func whatIsStoredIsShownAndTheVerdictsStay() async throws {
        try await withTemporaryFolder { folder in
            let path = "\(folder.path)/m.safetensors"
            _ = try await run(
                "model",
                "set",
                Program.model,
                "--out",
                path,
                "--name",
                "Cells µ",
                "--licence",
                "CC-BY-4.0",
                "--author",
                "A. Person",
                "--author",
                "B. Person",
                "--microscope",
                "ComplexEye",
                "--objective",
                "10x/0.3",
                "--pixel-size",
                "0.65",
                "--trained-on",
                frames[0],
                in: folder
            )
            let lines = try await run("model", "show", path, in: folder).printed
            for word in [
                "Cells µ", "CC-BY-4.0", "A. Person, B. Person", "ComplexEye", "10x/0.3", "0.65 um", "1 file",
            ] {
                #expect(lines.contains(word))
            }
            let json = try #require(
                try JSONSerialization.jsonObject(
                    with: Data(try await run("model", "show", path, "--json", in: folder).printed.utf8)
                ) as? [String: Any]
            )
            let digest = Digest.sha256(try bytes(path))
            #expect(json["sha256"] as? String == digest)
            #expect(json["model"] as? String == String(digest.prefix(12)))
            #expect((json["about"] as? [String: Any])?["authors"] as? [String] == ["A. Person", "B. Person"])
            let calibrations = try #require(json["calibrations"] as? [[String: Any]])
            #expect(calibrations.allSatisfy { $0["threshold"] is Double && $0["frames"] is Int })
            func severities(_ model: String) async throws -> [String?] {
                try await run("score", "--model", model, frames[1], in: folder).table.map { $0["severity"] }
            }
            #expect(try await severities(path) == severities(Program.model))
            // What is not given stays, an empty word removes.
            _ = try await run("model", "set", path, "--licence", "", in: folder)
            let about = try Model.read(path: path).model.description.about
            #expect(about?.licence == nil)
            #expect(about?.name == "Cells µ")
            #expect(about?.pixelSize == 0.65)
        }
    }

    @Test func aPackageHasTestTensorsOfWhatTheProgramComputes() async throws {
        try await withTemporaryFolder { folder in
            let package = folder.appending(path: "package")
            _ = try await run(
                "export-model",
                Program.model,
                "--bioimageio",
                package.path,
                "--sample",
                frames[1],
                in: folder
            )
            let names = try FileManager.default.contentsOfDirectory(atPath: package.path).sorted()
            #expect(
                names == [
                    "README.md", "cover-frame.png", "cover-map.png", "frame.npy", "frame.tiff", "map.npy",
                    "model.onnx",
                    "rdf.yaml", "reconstruction.npy",
                ]
            )
            func values(_ name: String) throws -> [Float] {
                let data = try Data(contentsOf: package.appending(path: name))
                let header = 10 + Int(data[8]) + Int(data[9]) << 8
                #expect(header % 64 == 0)
                return stride(from: header, to: data.count, by: 4).map { start in
                    Float(bitPattern: (0..<4).reduce(0) { $0 | UInt32(data[start + $1]) << UInt32(8 * $1) })
                }
            }
            let frame = try TIFFReader(path: package.appending(path: "frame.tiff").path).frame(page: 0)
            #expect(try values("frame.npy") == frame.pixels)
            let scorer = try FrameScorer(model: Model.read(path: Program.model).model, path: Program.model)
            #expect(try values("map.npy") == scorer.map(of: frame).values)
            // In the frame's grey values: near to the frame where nothing is wrong.
            let differences = zip(try values("reconstruction.npy"), frame.pixels).map { abs($0 - $1) }
                .sorted()
            #expect(differences[differences.count / 2] < 5)
            // A folder that holds something is left alone.
            let again = try Program(
                ["export-model", Program.model, "--bioimageio", package.path, "--sample", frames[1]],
                in: folder
            )
            #expect(try await again.end() != 0)
            #expect(again.said.contains("is not empty"))
        }
    }

    @Test func aPackageNeedsNameLicenceAndAuthors() async throws {
        try await withTemporaryFolder { folder in
            let path = "\(folder.path)/m.safetensors"
            _ = try await run("model", "set", Program.model, "--out", path, "--licence", "", in: folder)
            let program = try Program(
                ["export-model", path, "--bioimageio", "\(folder.path)/p", "--sample", frames[0]],
                in: folder
            )
            #expect(try await program.end() != 0)
            #expect(program.said.contains("autoqc model set"))
        }
    }
}
