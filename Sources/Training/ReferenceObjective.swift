import Detection
import Networks
import Tensors

/// The published training of pDDPM, DDPM, AE and VAE.
final class ReferenceObjective: TrainingObjective {
    init(options: ReferenceTraining, frames: FrameSplit) throws(DataError) {
        throw DataError("the networks of the reference profile are not part of this build")
    }

    var network: any Network { preconditionFailure("no network") }

    func loss(step: Int) throws(DataError) -> Variable { preconditionFailure("no network") }

    func validationLoss() throws(DataError) -> Float { preconditionFailure("no network") }

    func description(training: ModelDescription.Provenance) -> ModelDescription {
        preconditionFailure("no network")
    }
}
