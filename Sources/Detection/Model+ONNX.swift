import Checkpoints
import Diffusion
package import Foundation
import Networks
package import ONNX
import Tensors

extension Model {
    /// The whole way of a frame through a model of the `realtime` profile, as a graph: `RealtimeSettings.graph`.
    ///
    /// Refuses a model of the `reference` profile; `path` is for messages.
    package func graph(path: String) throws(ModelError) -> ONNXGraph {
        guard let settings = description.realtime else {
            throw ModelError(
                code: .notRealtime,
                path: path,
                detail:
                    "is \(description.method.rawValue) in the \(description.profile.name) profile, whose overlapping windows no "
                    + "ONNX graph is made of; give a model of the realtime profile"
            )
        }
        return settings.graph(
            network: try network(settings, path: path),
            residual: description.residual
        )
    }

    /// The model as an ONNX file: its graph, and all that the model file holds, so that it can be imported again.
    ///
    /// `version` is this program's; `path` is for messages.
    package func onnx(path: String, version: String) throws(ModelError) -> Data {
        let graph = try graph(path: path)
        do { return ONNXFile.encoded(graph, metadata: try metadata(), version: version) } catch {
            throw ModelError(code: .cannotWrite, path: path, detail: "cannot be written as ONNX: \(error)")
        }
    }

    /// The model that was written to an ONNX file.
    ///
    /// Refuses files of others and whatever is not exactly what was written; `path` is for messages.
    package init(onnx data: Data, path: String) throws(ModelError) {
        do {
            let file = try ONNXFile(data: data, path: path)
            guard file.metadata[Self.descriptionKey] != nil else { throw Self.foreign(file, path) }
            try self.init(
                file: SafeTensors(metadata: file.metadata, tensors: try file.weights()),
                path: path
            )
        } catch let error as ModelError { throw error } catch {
            throw ModelError(
                code: .unreadable,
                path: path,
                detail: (error as? ONNXError)?.detail ?? "\(error)"
            )
        }
    }

    private static func foreign(_ file: ONNXFile, _ path: String) -> ModelError {
        let origin = file.producer.isEmpty ? "" : " of \(file.producer.printable)"
        return ModelError(
            code: .notAModel,
            path: path,
            detail:
                "is ONNX\(origin), but no autoqc model; give a file that `autoqc export-model --onnx` wrote, or the checkpoint "
                + "that this one was made of"
        )
    }
}
