import ArgumentParser
import Files
import Foundation
import Systemd

/// The exit statuses that scripts and schedulers tell apart; those from 64 on are of sysexits.h.
///
/// ArgumentParser gives 64 for wrong usage. None of ours is one that a scheduler takes for a signal or a lost node.
enum ExitStatus {
    /// A frame is faulty, and that was to count as a failure.
    static let faulty: Int32 = 3
    /// Files could not be read; whatever could be is done (`EX_DATAERR`).
    static let unreadable: Int32 = 65
    /// There is nothing to read (`EX_NOINPUT`).
    static let noInput: Int32 = 66
    /// Another process is at it; try again later (`EX_TEMPFAIL`).
    static let busy: Int32 = 75
    /// The model or the configuration is wrong, which no further start mends (`EX_CONFIG`).
    static let configuration: Int32 = 78

    /// Does something, and ends the program with a status where that fails.
    static func exiting<Value>(_ status: Int32, _ body: () throws -> Value) throws -> Value {
        do {
            return try body()
        } catch let error as ValidationError {
            throw error
        } catch {
            StandardStreams.note("Error: \(error)\n")
            throw ExitCode((error as? OutputError)?.code == .taken ? busy : status)
        }
    }
}
