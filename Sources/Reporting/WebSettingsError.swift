/// An address or a token for the live page that cannot be used.
public struct WebSettingsError: Error, Sendable, Equatable, CustomStringConvertible {
    /// Whether the token is wrong; otherwise the address is.
    public let isAboutToken: Bool
    /// What is wrong.
    public let problem: String
    /// What to do about it.
    public let remedy: String

    /// One sentence.
    public var description: String { "\(problem); \(remedy)." }

    init(isAboutToken: Bool, problem: String, remedy: String) {
        self.isAboutToken = isAboutToken
        self.problem = problem
        self.remedy = remedy
    }
}
