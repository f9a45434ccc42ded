import ArgumentParser
package import Tensors

extension Precision: ExpressibleByArgument {}

extension Precision {
    /// What the user asks for.
    enum Choice: String, ExpressibleByArgument, CaseIterable {
        case auto
        case f32
        case bf16
        case int8

        /// The precision; `nil` for the automatic one.
        var precision: Precision? { Precision(rawValue: rawValue) }
    }

    static let help =
        "auto (what the model prefers, else bf16 where the CPU has it, else f32), f32, bf16 or int8."
}
