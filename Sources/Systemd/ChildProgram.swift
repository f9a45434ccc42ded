package import Foundation

/// What a program left.
package struct ProgramResult: Sendable, Equatable {
    /// Exit status; signals count from 128.
    package let status: Int32
    /// Whether it was ended because it took too long.
    package let isTimedOut: Bool
    /// The beginning of its standard output.
    package let output: String
    /// The beginning of its standard error.
    package let errors: String
}

/// A program that is run once, with an input, for a limited time.
///
/// Input and output are files without a name, not pipes: no program that reads or writes in its own way, or leaves children
/// behind, can hold up who runs it.
package struct ChildProgram {
    /// The program, with its path or to be looked for, and its arguments.
    private let words: [String]
    /// Variables beside those of this process.
    private let environment: [String: String]

    private static let path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
    private static let longestOutput = 64 << 10

    /// A program of `words`, its name first, with variables beside those of this process.
    package init(words: [String], environment: [String: String] = [:]) {
        (self.words, self.environment) = (words, environment)
    }

    /// The file of a program; `nil` where there is none that may be run.
    package static func file(of program: String) -> String? {
        let places =
            program.hasPrefix("/") ? [program] : path.split(separator: ":").map { "\($0)/\(program)" }
        return places.first { FileManager.default.isExecutableFile(atPath: $0) }
    }

    /// Runs it to its end; after `limit`, to that of the program and all that it started.
    ///
    /// Throws where it cannot be started. Not by Foundation's `Process`, which waits for the children that a program leaves behind, too, and does
    /// not see the end of a program in the daemon's sandbox.
    package func run(input: Data = Data(), within limit: Duration) throws -> ProgramResult {
        guard let file = Self.file(of: words[0]) else {
            throw ProgramError("\(words[0]) is not there, or may not be run; install it")
        }
        let files = try [input, Data(), Data()].map { try Self.namelessFile($0) }
        defer { for file in files { try? file.close() } }
        let variables = ProcessInfo.processInfo.environment
            .merging(["PATH": Self.path]) { $1 }.merging(environment) { $1 }.map { "\($0)=\($1)" }
        let child = try Self.spawn(file, words, variables, files.map(\.fileDescriptor))
        let deadline = ContinuousClock.now + limit
        var end: Int32?
        while end == nil, ContinuousClock.now < deadline {
            end = Self.end(of: child, waits: false)
            if end == nil { usleep(Self.pause) }
        }
        let isTimedOut = end == nil
        if isTimedOut { kill(-child, SIGKILL) }
        let status = end ?? Self.end(of: child, waits: true) ?? 0
        return ProgramResult(
            status: status & 0x7F == 0 ? status >> 8 & 0xFF : 128 + status & 0x7F,
            isTimedOut: isTimedOut,
            output: try Self.text(of: files[1]),
            errors: try Self.text(of: files[2])
        )
    }

    /// In us, between two looks whether the program has ended.
    private static let pause: UInt32 = 5000

    /// The raw status of a child that has ended; `nil` while it runs.
    private static func end(of child: pid_t, waits: Bool) -> Int32? {
        var status: Int32 = 0
        while true {
            let found = unsafe waitpid(child, &status, waits ? 0 : WNOHANG)
            if found == child { return status }
            guard found < 0, errno == EINTR else { return nil }
        }
    }

    /// Starts a program in a process group of its own, with usual signals and these three files; all others are closed.
    private static func spawn(
        _ file: String,
        _ words: [String],
        _ variables: [String],
        _ files: [Int32]
    ) throws -> pid_t {
        var actions = unsafe posix_spawn_file_actions_t()
        unsafe posix_spawn_file_actions_init(&actions)
        defer { unsafe posix_spawn_file_actions_destroy(&actions) }
        for (target, file) in files.enumerated() {
            unsafe posix_spawn_file_actions_adddup2(&actions, file, Int32(target))
        }
        var attributes = posix_spawnattr_t()
        unsafe posix_spawnattr_init(&attributes)
        defer { unsafe posix_spawnattr_destroy(&attributes) }
        var signals = sigset_t()
        unsafe sigfillset(&signals)
        unsafe posix_spawnattr_setsigdefault(&attributes, &signals)
        unsafe sigemptyset(&signals)
        unsafe posix_spawnattr_setsigmask(&attributes, &signals)
        let flags = POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK
        unsafe posix_spawnattr_setflags(&attributes, Int16(flags))
        let (arguments, environment) = unsafe (
            words.map { unsafe strdup($0) }, variables.map { unsafe strdup($0) }
        )
        defer { unsafe (arguments + environment).forEach { unsafe free($0) } }
        var child: pid_t = 0
        let error = unsafe posix_spawn(
            &child,
            file,
            &actions,
            &attributes,
            arguments + [nil],
            environment + [nil]
        )
        guard error == 0 else {
            throw ProgramError("\(file) cannot be started (\(unsafe String(cString: strerror(error))))")
        }
        return child
    }

    /// A file without a name, to be read from its beginning.
    private static func namelessFile(_ content: Data) throws -> FileHandle {
        let path = FileManager.default.temporaryDirectory.appending(path: "autoqc-\(UUID().uuidString)").path
        let descriptor = unsafe open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else {
            throw ProgramError("\(path) cannot be made (\(unsafe String(cString: strerror(errno))))")
        }
        unsafe unlink(path)
        let file = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
        try file.write(contentsOf: content)
        try file.seek(toOffset: 0)
        return file
    }

    private static func text(of file: FileHandle) throws -> String {
        try file.seek(toOffset: 0)
        return String(decoding: try file.read(upToCount: longestOutput) ?? Data(), as: UTF8.self)
    }
}

/// Why a program could not be run.
package struct ProgramError: Error, Sendable, CustomStringConvertible {
    /// A sentence.
    package let description: String

    init(_ description: String) { self.description = description }
}
