import Detection
import Networks
import Tensors

/// What a training makes small: it draws the batches and says what they cost.
protocol TrainingObjective: AnyObject {
    /// The network whose parameters are trained.
    var network: any Network { get }

    /// The loss of a step's batch, to be differentiated once; it follows from seed, step and weights alone.
    func loss(step: Int) throws(DataError) -> Variable

    /// The loss on held-out frames with the network's present weights, always over the same crops and noise.
    func validationLoss() throws(DataError) -> Float

    /// What a model says of itself.
    func description(training: ModelDescription.Provenance) -> ModelDescription
}
