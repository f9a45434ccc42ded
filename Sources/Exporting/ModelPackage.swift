package import Detection
import Diffusion
import Digests
import Foundation
import Frames
import Networks
package import Plate
package import Training
import Yams

/// A model as a package of bioimage.io: its ONNX graph with a description, tensors to test it by, and a sample.
///
/// `rdf.yaml` follows the format 0.5. The test tensors are what this program makes of a part of a frame, so a test of the package compares the
/// graph in another runtime with this program.
package struct ModelPackage {
    private let model: Model
    private let facts: ModelFacts
    private let name, licence: String
    private let sample: Frame
    private let version: String

    /// What has to be cut off a block's edges, in whole patches, so that blocks have the frame's.
    private let halo: Int
    /// The side of the smallest block: a patch is left of it.
    private let smallestSide: Int
    /// How far residual and median filter look.
    private static let mapReach = 4

    /// Gathers a package of a model; `version` is this program's.
    ///
    /// Throws where nobody has said what the model is called, who may use it and who made it; `path` is for messages.
    package init(
        _ model: Model,
        facts: ModelFacts,
        sample: Frame,
        path: String,
        version: String
    ) throws(DataError) {
        guard let about = model.description.about, let name = about.name, let licence = about.licence,
            !about.authors.isEmpty
        else {
            throw DataError(
                "\(path): a package names the model, its licence and its authors; "
                    + "`autoqc model set \(path) --name NAME --licence MIT --author NAME` stores them"
            )
        }
        guard let settings = model.description.realtime else {
            throw DataError("\(path): packages are made of models of the realtime profile only")
        }
        let patch = settings.diffusion.phases.patch
        halo = (settings.architecture.reach + Self.mapReach + patch - 1) / patch * patch
        smallestSide = 2 * halo + patch
        guard min(sample.height, sample.width) >= smallestSide else {
            throw DataError(
                "the sample of \(sample.width) x \(sample.height) pixels is too small; name a frame of \(smallestSide) x "
                    + "\(smallestSide) or more"
            )
        }
        (self.model, self.facts, self.name, self.licence, self.version) = (
            model, facts, name, licence, version
        )
        self.sample = sample.centreCrop(smallestSide)
    }

    /// Writes the package into a new or empty folder; `path` is the model file's, for messages.
    package func write(to folder: String, path: String) throws {
        let graph = try model.onnx(path: path, version: version)
        let scorer = try FrameScorer(model: model, path: path)
        let reconstruction = scorer.reconstruction(of: sample)
        let map = scorer.map(of: reconstruction)
        let grey = model.description.realtime?.normalisation.grey(ofUnit: reconstruction.output) ?? []
        let shape = [1, 1, sample.height, sample.width]
        let export = try ExportFolder(folder, parts: ["bioimageio", facts.sha256, version])
        try export.add("model.onnx") { graph }
        try export.add("frame.npy") { NumpyArray.encoded(sample.pixels, shape: shape) }
        try export.add("reconstruction.npy") { NumpyArray.encoded(grey, shape: shape) }
        try export.add("map.npy") { NumpyArray.encoded(map.values, shape: shape) }
        try export.add("frame.tiff", writing: { try TIFFWriter.write(sample, to: $0, type: .float32) })
        let range = (sample.pixels.min() ?? 0)...(sample.pixels.max() ?? 1)
        try export.add("cover-frame.png") { try PanelImage.grey(sample, range: range).encoded() }
        try export.add("cover-map.png") {
            try PanelImage.coloured(map, limit: map.values.max() ?? 1).encoded()
        }
        try export.add("README.md") { Data(documentation.utf8) }
        try export.add("rdf.yaml") { Data(try Yams.dump(object: document(graph), sortKeys: true).utf8) }
        try export.finish()
    }

    private func document(_ graph: Data) -> [String: Any] {
        var document: [String: Any] = [
            "type": "model", "format_version": "0.5.12", "name": name, "license": licence,
            "description":
                "Reconstructs brightfield frames as they would be if they were normal, and maps where they are not.",
            "authors": (facts.about?.authors ?? []).map { ["name": $0] },
            "cite": Self.literature, "covers": ["cover-frame.png", "cover-map.png"],
            "documentation": "README.md", "version": version,
            "tags": ["diffusion", "quality-control", "anomaly-detection", "brightfield", "2d"],
        ]
        document["inputs"] = [
            tensor("frame", "Grey values as the file of the frame has them.", inputSize)
                .merging(["sample_tensor": ["source": "frame.tiff"]]) { first, _ in first }
        ]
        document["outputs"] = [
            tensor("reconstruction", "The frame as it would be if it were normal.", outputSize),
            tensor("map", "How unlike its reconstruction each pixel is.", outputSize),
        ]
        document["weights"] = [
            "onnx": ["source": "model.onnx", "sha256": Digest.sha256(graph), "opset_version": 17]
        ]
        let tolerance: [String: Any] = [
            "relative_tolerance": 1e-4, "absolute_tolerance": 1e-4, "mismatched_elements_per_million": 0,
        ]
        document["config"] = ["bioimageio": ["reproducibility_tolerance": [tolerance]]]
        return document
    }

    private static let literature: [[String: String]] = [
        [
            "text":
                "Behrendt F, Bhattacharya D, Krüger J, Opfer R, Schlaefer A. Patched Diffusion Models for Unsupervised Anomaly "
                + "Detection in Brain MRI. MIDL 2023.", "doi": "10.48550/arXiv.2303.03758",
        ],
        ["text": "AutoQC-Bench. npj Imaging 3, 57, 2025.", "doi": "10.1038/s44303-025-00117-8"],
    ]

    private func inputSize(_ axis: String) -> [String: Any] {
        ["size": ["min": smallestSide, "step": 1]]
    }

    private func outputSize(_ axis: String) -> [String: Any] {
        ["size": ["tensor_id": "frame", "axis_id": axis], "halo": halo]
    }

    private func tensor(
        _ id: String,
        _ description: String,
        _ size: (String) -> [String: Any]
    ) -> [String: Any] {
        let axes: [[String: Any]] =
            [["type": "batch"], ["type": "channel", "channel_names": ["grey"]]]
            + ["y", "x"].map { axis in
                var space: [String: Any] = ["type": "space", "id": axis]
                if let pixel = facts.about?.pixelSize {
                    (space["unit"], space["scale"]) = ("micrometer", pixel)
                }
                return space.merging(size(axis)) { first, _ in first }
            }
        return [
            "id": id, "description": description, "axes": axes, "data": ["type": "float32"],
            "test_tensor": ["source": "\(id).npy"],
        ]
    }

    private var documentation: String {
        """
        \(facts.card)
        The input is a frame as its file has it: grey values, nothing is scaled before. The outputs are the frame as it would be if it were normal, in
        its grey values, and the score map, on the scale of [0, 1] images. Severity, threshold, mask and cause are not part of the graph: `autoqc`
        judges. `autoqc import model.onnx` gives the model file back.

        ## Blocks
        The halo of \(halo) pixels covers all that has part in a pixel's values. Noise begins anew in each block, so these values differ a
        little from those of a frame that is taken as a whole. Take whole frames where memory allows.

        ## Validation
        The test tensors are what autoqc \(version) makes of `frame.npy`. Take a number of your own normal frames and look at the map:
        its values are low where nothing is wrong. `autoqc calibrate` finds the threshold for your microscope.

        """
    }
}
