import Foundation

extension Double {
    /// This number with so many digits after the point, whatever the user's language.
    func digits(_ count: Int) -> String {
        formatted(.number.precision(.fractionLength(count)).grouping(.never).locale(Locale(identifier: "C")))
    }
}
