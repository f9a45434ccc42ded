/// How many frames of what kind a labelled set has.
package struct SetComposition: Sendable, Equatable {
    /// Normal frames to train on; every tenth is set apart for validation.
    package var training: Int
    /// Normal test frames.
    package var normal: Int
    /// Faulty test frames.
    package var faulty: Int
    /// Folds that the test frames are divided into.
    package var folds: Int

    /// The published test set's composition by default.
    package init(training: Int = 300, normal: Int = 100, faulty: Int = 48, folds: Int = 5) {
        (self.training, self.normal, self.faulty, self.folds) = (training, normal, faulty, folds)
    }

    /// Says in a sentence what cannot be, or `nil`.
    var fault: String? {
        if min(training, normal, faulty) < 0 || max(training, normal, faulty) > 100_000 {
            return "a set has 0 to 100000 frames of a kind"
        }
        if training + normal + faulty == 0 { return "a set of no frames is none; ask for some" }
        if training == 1 { return "a single training frame leaves none for validation; ask for two or more" }
        if folds < 2 || folds > 100 { return "\(folds) folds are not possible; 2 to 100 are" }
        return nil
    }
}
