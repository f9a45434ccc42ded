import Foundation

/// Standard output and standard error of the commands.
package enum StandardStreams {
    /// Makes the streams safe to use; call it before anything opens a file.
    ///
    /// A stream that is closed would be taken by the next file that is opened, and messages would be written into that. Nothing can be
    /// written to a standard output that was closed: writing to it fails. A reader that ends is an error of the next write, not the end of
    /// the process. What the library of options printed is checked at the end.
    package static func prepare() {
        for stream in [STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO] where fcntl(stream, F_GETFD) < 0 {
            // The lowest number that is free is this one.
            _ = unsafe open("/dev/null", stream == STDERR_FILENO ? O_WRONLY : O_RDONLY)
        }
        _ = signal(SIGPIPE, SIG_IGN)
        _ = atexit {
            guard fflush(nil) != 0 else { return }
            StandardStreams.note("Error: \(OutputError("write", "standard output", errno: errno))\n")
            _exit(EXIT_FAILURE)
        }
    }

    /// Writes text to standard output.
    package static func write(_ text: String) throws(OutputError) {
        try Durable.write(Array(text.utf8), to: STDOUT_FILENO, "standard output")
    }

    /// Writes text to standard error; one that takes nothing is no reason to stop.
    package static func note(_ text: String) {
        try? Durable.write(Array(text.utf8), to: STDERR_FILENO, "standard error")
    }
}
