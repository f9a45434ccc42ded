/// An address or a token for the live page that cannot be used.
package struct WebSettingsError: Error, Sendable, Equatable, CustomStringConvertible {
    /// Whether the token is wrong; otherwise the address is.
    package let isAboutToken: Bool
    /// What is wrong.
    package let problem: String
    /// What to do about it.
    package let remedy: String

    /// One sentence.
    package var description: String { "\(problem); \(remedy)." }

    init(isAboutToken: Bool, problem: String, remedy: String) {
        self.isAboutToken = isAboutToken
        self.problem = problem
        self.remedy = remedy
    }
}
