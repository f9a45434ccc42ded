import Foundation
import Tables
import TestSupport

/// The built program, run as a user runs it.
final class Program: Sendable {
    /// Why a run did not come to the expected end.
    struct Failure: Error, CustomStringConvertible {
        let description: String
    }

    private let process: Process
    private let messages: URL
    private let output: URL

    /// The program beside the tests, unless `AUTOQC_BINARY` names another.
    private static let binary =
        ProcessInfo.processInfo.environment["AUTOQC_BINARY"].map { URL(filePath: $0) }
        ?? URL(filePath: CommandLine.arguments[0]).deletingLastPathComponent().appending(path: "autoqc")

    /// The program's path, for a shell.
    static var path: String { binary.path }

    /// The shipped model, with which every end-to-end test judges.
    static let model = packageRoot.appending(path: "examples/models/complexeye.safetensors").path

    /// Starts the program; standard output and standard error go to files in `folder`, the latter to `log` if that is given.
    convenience init(
        _ arguments: [String],
        in folder: URL,
        environment: [String: String] = [:],
        log: Pipe? = nil
    ) throws {
        try self.init(Self.binary, arguments, in: folder, environment: environment, log: log)
    }

    /// Starts the program as a line of a shell does, `autoqc ...`, in a folder.
    convenience init(line: String, in folder: URL) throws {
        let command = line.replacing(#/^autoqc /#, with: "exec \"$0\" ")
        try self.init(
            URL(filePath: "/bin/bash"),
            ["-c", "cd '\(folder.path)' && \(command)", Self.path],
            in: folder
        )
    }

    private init(
        _ executable: URL,
        _ arguments: [String],
        in folder: URL,
        environment: [String: String] = [:],
        log: Pipe? = nil
    ) throws {
        let name = UUID().uuidString
        messages = folder.appending(path: "messages-\(name)")
        output = folder.appending(path: "output-\(name)")
        for file in [messages, output] { try Data().write(to: file) }
        process = Process()
        process.executableURL = executable
        process.arguments = arguments
        let files = try [messages, output].map { try FileHandle(forWritingTo: $0) }
        // The program has its own; Foundation would keep these, and loses the ends of programs once there are a thousand.
        defer { for file in files { try? file.close() } }
        process.standardError = files[0]
        if let log { process.standardError = log }
        process.standardOutput = files[1]
        process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
        try process.run()
    }

    /// What it has said so far.
    var said: String { (try? String(contentsOf: messages, encoding: .utf8)) ?? "" }

    /// What it has printed so far.
    var printed: String { (try? String(contentsOf: output, encoding: .utf8)) ?? "" }
    /// The table on its standard output, row by row: what stands in each column.
    var table: [[String: String]] {
        let table = CSVTable(Data(printed.utf8))
        return table.rows.map { Dictionary(zip(table.header, $0.fields)) { first, _ in first } }
    }

    /// Whether it has not ended yet.
    var isRunning: Bool { process.isRunning }

    var identifier: Int32 { process.processIdentifier }

    func signal(_ number: Int32) { kill(process.processIdentifier, number) }

    /// Runs a line of the shell with the program as `$0`.
    static func shell(_ line: String, in folder: URL) async throws -> (status: Int32, said: String) {
        let said = folder.appending(path: "said-\(UUID().uuidString)")
        let process = Process()
        process.executableURL = URL(filePath: "/bin/bash")
        process.arguments = ["-c", "cd '\(folder.path)'; \(line)", path]
        process.standardOutput = FileHandle.nullDevice
        try Data().write(to: said)
        let file = try FileHandle(forWritingTo: said)
        defer { try? file.close() }
        process.standardError = file
        try process.run()
        try await until("the shell ends") { !process.isRunning }
        return (process.terminationStatus, try String(contentsOf: said, encoding: .utf8))
    }

    /// Waits for its end and returns the exit status; signals count from 128.
    func end(within limit: Duration = longestWait) async throws -> Int32 {
        try await until("the program ends", within: limit) { !self.process.isRunning }
        return process.terminationReason == .exit
            ? process.terminationStatus : 128 + process.terminationStatus
    }
}

/// How long a test waits for a process.
///
/// A busy machine runs at a tenth of its pace, and work of the lowest priority waits longer still.
let longestWait = Duration.seconds(3600)

/// Waits until something that another process does has happened, and fails when it takes too long; with what the process
/// said, if it is given.
func until(
    _ what: String,
    within limit: Duration = longestWait,
    by program: Program? = nil,
    _ happened: @Sendable () throws -> Bool
) async throws {
    let deadline = ContinuousClock.now + limit
    while try !happened() {
        guard ContinuousClock.now < deadline else {
            let said = program.map { "; running: \($0.isRunning); it said: \($0.said)" } ?? ""
            throw Program.Failure(description: "in vain: \(what)\(said)")
        }
        try await Task.sleep(for: .milliseconds(20))
    }
}
