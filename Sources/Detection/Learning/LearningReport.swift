/// What became of learning from a run's first frames.
package struct LearningReport: Sendable, Equatable {
    /// How it ended.
    package enum Outcome: Sendable, Equatable {
        /// The run is judged by what its frames taught, under this model's name.
        case learnt(model: String, LearningFigures)
        /// What was learnt before a restart is taken up again.
        case resumed(model: String)
        /// Nothing was learnt and the model at work goes on, for this reason.
        case refused(String)
    }

    /// The run.
    package let run: String
    /// How it ended.
    package let outcome: Outcome
}
