/// Whether a file has all of its parts, as its format tells.
package enum Wholeness: Sendable, Equatable {
    /// All parts are there.
    case whole
    /// Parts are missing, as in a file that is still being written; the sentence says which.
    case incomplete(String)
    /// More bytes would not mend it, and the sentence says why; it is delivered, and its reader refuses it.
    case damaged(String)
}
