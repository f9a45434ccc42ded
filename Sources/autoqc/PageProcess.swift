import Files
import Foundation
import Logging
import Monitoring
import Reporting
import Rules
import Synchronization

/// The live page of a daemon that was started by hand: `autoqc view` as a process beside it.
///
/// A process of its own, as no request to the page may end the one that judges. It is started again where it ends, and ends with the
/// daemon, however that ends: its standard input is then closed. Under systemd, the page has a unit of its own instead.
final class PageProcess: Sendable {
    private static let pause = DispatchTimeInterval.seconds(2)
    /// How long it may take to end by itself.
    private static let patience = DispatchTimeInterval.seconds(4)

    private struct State {
        var process: Process?
        var isStopping = false
    }

    private let state = Mutex(State())
    private let isStopping = DispatchSemaphore(value: 0)
    private let hasStopped = DispatchSemaphore(value: 0)
    private let arguments: [String]
    private let folder: URL
    private let logger: Logger

    /// The file in which the daemon says how it is.
    let status: StatusFile

    init(_ web: WebSettings, _ configuration: Configuration, _ logger: Logger) throws {
        let name = "autoqc-page-\(UUID().uuidString)"
        folder = FileManager.default.temporaryDirectory.appending(path: name)
        try FileManager.default.createDirectory(
            at: folder,
            withIntermediateDirectories: false,
            attributes: [.posixPermissions: 0o700]
        )
        status = ViewCommand.status(in: folder.path)
        // Not among the arguments, which every user of the machine sees.
        if let token = web.token, token != WebSettings.credential {
            try Durable.replaceUnsynced(
                ViewCommand.credential(in: folder.path),
                with: Array(token.utf8)
            )
        }
        let host = web.host.contains(":") ? "[\(web.host)]" : web.host
        let rules = configuration.plateRules
        arguments =
            [
                "view", configuration.output.root, "--listen", "\(host):\(web.port)",
                "--plate", web.plate.rawValue, "--beside", folder.path,
                "--lens-rows", "\(rules.lensRows)", "--lens-columns", "\(rules.lensColumns)",
                "--log-level", configuration.logLevel.rawValue,
            ] + (web.token == nil ? [] : ["--token", WebSettings.credential])
        self.logger = logger
    }

    /// Starts it, again and again.
    func start() {
        let thread = Thread { [self] in
            while runOnce() {
                if isStopping.wait(timeout: .now() + Self.pause) == .success { break }
            }
            hasStopped.signal()
        }
        thread.name = "autoqc.view"
        thread.start()
    }

    /// Ends it.
    func stop() {
        let process = state.withLock { state in
            state.isStopping = true
            return state.process
        }
        isStopping.signal()
        try? (process?.standardInput as? Pipe)?.fileHandleForWriting.close()
        if hasStopped.wait(timeout: .now() + Self.patience) == .timedOut, let process {
            kill(process.processIdentifier, SIGKILL)
        }
        try? FileManager.default.removeItem(at: folder)
    }

    /// Whether it is to be started again.
    private func runOnce() -> Bool {
        let process = Process()
        process.executableURL = URL(filePath: "/proc/self/exe")
        process.arguments = arguments
        process.standardInput = Pipe()
        var environment = ProcessInfo.processInfo.environment
        // What the service manager hears comes from the daemon alone.
        environment["NOTIFY_SOCKET"] = nil
        environment["WATCHDOG_USEC"] = nil
        process.environment = environment
        do {
            let isStarted = try state.withLock { state in
                guard !state.isStopping else { return false }
                try process.run()
                state.process = process
                return true
            }
            guard isStarted else { return false }
        } catch {
            logger.error("The live page cannot be started", metadata: ["reason": "\(error)"])
            return true
        }
        process.waitUntilExit()
        guard !state.withLock(\.isStopping) else { return false }
        let status = process.terminationStatus
        // It said why, and the same start would end so again.
        if process.terminationReason == .exit, status != 0 { return false }
        logger.error(
            "The live page ended; judging goes on, and the page is started again",
            metadata: ["status": "\(status)"]
        )
        return true
    }
}
