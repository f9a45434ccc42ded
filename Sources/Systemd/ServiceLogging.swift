import Glibc
package import Logging

/// Chooses where the log of a service goes.
package enum ServiceLogging {
    /// Sets the log of the process up, once: the journal where stderr leads to it, stderr elsewhere.
    package static func bootstrap(level: Logger.Level = .info) {
        LoggingSystem.bootstrap { label in handler(label: label, level: level) }
    }

    /// The log handler that `bootstrap` gives to a logger.
    package static func handler(label: String, level: Logger.Level = .info) -> any LogHandler {
        var handler: any LogHandler =
            standardErrorIsJournal
            ? JournalLogHandler(label: label) : StreamLogHandler.standardError(label: label)
        handler.logLevel = level
        return handler
    }

    /// Whether stderr is the stream that the service manager connected to the journal.
    ///
    /// `JOURNAL_STREAM` names its device and inode, and programs inherit it whose stderr leads elsewhere.
    package static var standardErrorIsJournal: Bool {
        guard let value = unsafe getenv("JOURNAL_STREAM") else { return false }
        return isJournal(STDERR_FILENO, stream: unsafe String(cString: value))
    }

    static func isJournal(_ descriptor: Int32, stream: String) -> Bool {
        var status = stat()
        guard unsafe fstat(descriptor, &status) == 0 else { return false }
        return stream == "\(status.st_dev):\(status.st_ino)"
    }
}
