public import Detection
public import Plate

/// Any trained model as a method of the benchmark.
public struct ModelMethod: BenchmarkMethod {
    /// The name of the model file without its ending.
    public let name: String
    /// Method, profile, size and training.
    public let summary: String
    private let identity: String
    private let scorer: FrameScorer

    /// Reads a model file; a damaged one is refused in words.
    public init(path: String, name: String) throws(ModelError) {
        let (model, identity) = try Model.read(path: path)
        self.name = name
        self.identity = identity
        scorer = try FrameScorer(model: model, path: path)
        summary = Self.summary(of: model)
    }

    /// The first digits of the file's SHA-256.
    public func fingerprint(_ context: MethodContext) -> String { identity }

    /// Nothing is to be done: the model is trained.
    public func prepare(_ context: MethodContext) {}

    /// Reconstructs the frame and compares.
    public func assess(_ frame: Frame, report: (_ done: Int, _ all: Int) -> Void) -> Assessment {
        Assessment(map: scorer.map(of: frame))
    }

    /// Passes over the frame, or over its windows.
    public func passesPerFrame(height: Int, width: Int) -> Int { 0 }

    private static func summary(of model: Model) -> String {
        let description = model.description
        let parameters = model.weights.values.reduce(0) { $0 + $1.count }
        return "\(description.method), \(description.profile), \(parameters) parameters, "
            + "\(description.training.steps) steps on \(description.training.frames) frames"
    }
}
