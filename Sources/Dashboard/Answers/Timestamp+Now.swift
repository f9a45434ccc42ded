import Foundation
import Plate

extension Timestamp {
    /// The time of day, to about a microsecond.
    static var now: Timestamp {
        Timestamp(nanoseconds: Int64(Date.now.timeIntervalSince1970 * 1e9))
    }
}
