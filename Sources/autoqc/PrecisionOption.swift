public import ArgumentParser
public import Tensors

extension Precision: ExpressibleByArgument {}

extension Precision {
    /// What the user asks for.
    enum Choice: String, ExpressibleByArgument, CaseIterable {
        case auto
        case f32
        case bf16
        case int8

        /// The precision; `nil` for the fastest one that the CPU has and the model is calibrated for.
        var precision: Precision? { Precision(rawValue: rawValue) }
    }

    static let help =
        "auto (the fastest that the CPU has and the model is calibrated for), f32, bf16 or int8."
}
