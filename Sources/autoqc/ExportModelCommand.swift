import ArgumentParser
import Detection
import Diffusion
import Exporting
import Files
import Foundation
import Frames
import Reporting
import Training

struct ExportModelCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "export-model",
        abstract: "Write a realtime model as ONNX or as a bioimage.io package.",
        discussion: """
            --onnx writes one file: grey values of frames in, reconstruction and score map out, as the \
            daemon computes them in f32. The file holds the whole model, and `autoqc import` gives it back. \
            --bioimageio writes a package with test tensors made of the frame --sample. Severity, verdict \
            and mask are in neither (docs/models.md).

            Examples:
              autoqc export-model model.safetensors --onnx model.onnx
              autoqc export-model model.safetensors --bioimageio package \\
                  --sample frame.tiff
            """
    )

    @Argument(help: ArgumentHelp("The model file.", valueName: "FILE"), completion: .file())
    var model: String
    @Option(help: ArgumentHelp("Write an ONNX file.", valueName: "FILE"), completion: .file())
    var onnx: String?
    @Option(
        help: ArgumentHelp(
            "Write a bioimage.io package into this folder, which is new or empty.",
            valueName: "DIR"
        ),
        completion: .directory
    )
    var bioimageio: String?
    @Option(
        help: ArgumentHelp(
            "With --bioimageio: a TIFF file whose first frame the test tensors are made of.",
            valueName: "FILE"
        ),
        completion: .file()
    )
    var sample: String?

    func validate() throws {
        guard onnx != nil || bioimageio != nil else {
            throw ValidationError("give --onnx FILE, --bioimageio FOLDER, or both")
        }
        guard (bioimageio == nil) == (sample == nil) else {
            throw ValidationError("--bioimageio FOLDER and --sample FRAME go together")
        }
    }

    func run() throws {
        if let onnx { try OutputFile.check(onnx) }
        let (loaded, _) = try Model.read(path: model)
        if let onnx {
            try OutputFile.write(loaded.onnx(path: model, version: BuildInfo.version), to: onnx)
            Terminal.note("wrote \(onnx)")
            if let noise = loaded.description.realtime?.diffusion.noise, !noise.isInGraph {
                Terminal.note(
                    "its graph has a second input: `noise`, a field of \(noise.rawValue) noise of the frame's size"
                )
            }
        }
        guard let bioimageio, let sample else { return }
        let reader = try TIFFReader(path: sample)
        guard let page = reader.frames.first?.page else {
            throw DataError("\(sample): has no frame; name another file with --sample")
        }
        let package = try ModelPackage(
            loaded,
            facts: ModelFacts(loaded, path: model),
            sample: reader.frame(page: page),
            path: model,
            version: BuildInfo.version
        )
        try package.write(to: bioimageio, path: model)
        Terminal.note("wrote \(bioimageio)")
    }
}
