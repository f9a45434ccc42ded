import Digests
import Foundation
package import Tensors

/// A trained detector as a file: one safetensors file with the weights and everything needed to use them.
///
/// Metadata keys: `autoqc.format`, `3`; `autoqc.model`, the `ModelDescription` as JSON with sorted keys;
/// `autoqc.sha256`, over that JSON and then each tensor's name, shape and little-endian values in order of name. A file
/// that is cut, altered, or of an unknown format is refused. The first twelve digits of the whole file's SHA-256 are the
/// model's name in every record.
package struct Model: Sendable {
    /// Everything but the weights.
    package var description: ModelDescription
    /// The weights by parameter name.
    package var weights: [String: Tensor]

    /// The keys of the description, and of the checksum over it and the weights.
    static let descriptionKey = "autoqc.model"
    static let digestKey = "autoqc.sha256"
    private static let format = "3"
    private static let formatKey = "autoqc.format"

    /// Gathers a model.
    package init(description: ModelDescription, weights: [String: Tensor]) {
        self.description = description
        self.weights = weights
    }

    /// Reads a model and its name, refusing whatever is not exactly what was written.
    package static func read(path: String) throws(ModelError) -> (model: Model, name: String) {
        let data: Data
        do { data = try Data(contentsOf: URL(filePath: path)) } catch {
            throw ModelError(
                code: .unreadable,
                path: path,
                detail: "cannot be read; check the path and its permissions"
            )
        }
        let file: SafeTensors
        do { file = try SafeTensors(data: data, path: path) } catch {
            guard error.code != .notSafeTensors else {
                throw ModelError(
                    code: .notAModel,
                    path: path,
                    detail: "is not a model file; give a file that `autoqc train` or `autoqc import` wrote"
                )
            }
            throw ModelError(
                code: .unreadable,
                path: path,
                detail: "\(error.detail); the file is damaged or incomplete, copy it again"
            )
        }
        let model = try Model(file: file, path: path)
        return (model, String(Digest.sha256(data).prefix(12)))
    }

    /// Takes a file's metadata and weights, refusing whatever is not exactly what was written.
    init(file: SafeTensors, path: String) throws(ModelError) {
        func refuse(_ code: ModelError.Code, _ detail: String) -> ModelError {
            ModelError(code: code, path: path, detail: detail)
        }
        guard let format = file.metadata[Self.formatKey], let json = file.metadata[Self.descriptionKey] else {
            throw refuse(
                .notAModel,
                "holds tensors but no autoqc model; give a file that `autoqc train` wrote"
            )
        }
        guard format == Self.format else {
            throw refuse(
                .unknownVersion,
                "has format \(format), this program reads \(Self.format); use a matching version"
            )
        }
        guard file.metadata[Self.digestKey] == Self.digest(json: json, weights: file.tensors) else {
            throw refuse(.altered, "is not what was written (its checksum differs); copy it again or retrain")
        }
        do {
            description = try JSONDecoder().decode(ModelDescription.self, from: Data(json.utf8))
        } catch { throw refuse(.notAModel, "has a description that cannot be understood: \(error)") }
        weights = file.tensors
        _ = try reconstructor(path: path)
    }

    /// Writes the file, whole or not at all.
    package func write(path: String) throws(ModelError) {
        do {
            let metadata = try metadata()
            try SafeTensors(metadata: metadata, tensors: weights).write(path: path)
        } catch let error as SafeTensorsError {
            throw ModelError(code: .cannotWrite, path: path, detail: error.detail)
        } catch {
            throw ModelError(code: .cannotWrite, path: path, detail: "cannot be written: \(error)")
        }
    }

    /// The strings that travel with the weights.
    func metadata() throws -> [String: String] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        let json = String(decoding: try encoder.encode(description), as: UTF8.self)
        return [
            Self.formatKey: Self.format, Self.descriptionKey: json,
            Self.digestKey: Self.digest(json: json, weights: weights),
        ]
    }

    static func digest(json: String, weights: [String: Tensor]) -> String {
        var data = Data(json.utf8)
        for (name, tensor) in weights.sorted(by: { $0.key < $1.key }) {
            data.append(Data("\(name)\(tensor.shape)".utf8))
            let words = tensor.values.map(\.bitPattern.littleEndian)
            unsafe words.withUnsafeBytes { unsafe data.append(contentsOf: $0) }
        }
        return Digest.sha256(data)
    }
}
