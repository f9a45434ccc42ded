import Hummingbird
import Logging
import Reporting
import ServiceLifecycle

/// Listens at the address of a page until the graceful shutdown, or until it is cancelled.
///
/// Where the address is taken it says so, and tries again until it is free.
struct PageServer: Sendable {
    private static let pause = Duration.seconds(10)
    private static let sweep = Duration.seconds(1)
    /// How long answers in progress may take after the end has begun: a client that does not read would take for ever.
    private static let farewell = Duration.seconds(2)

    let settings: WebSettings
    /// Makes the answers, for each attempt to listen anew.
    let router: @Sendable () -> Router<PageContext>
    let logger: Logger
    /// Hears of the port as soon as it is open.
    var listening: @Sendable (_ port: Int) -> Void = { _ in }

    func run() async {
        while !Task.isShuttingDownGracefully, !Task.isCancelled {
            do {
                try await serve()
                return
            } catch is CancellationError {
                return
            } catch {
                logger.error(
                    "The live page cannot be served; it is tried again",
                    metadata: ["address": "\(settings.host):\(settings.port)", "reason": "\(error)"]
                )
                try? await cancelWhenGracefulShutdown { try await Task.sleep(for: Self.pause) }
            }
        }
    }

    private func serve() async throws {
        let connections = Connections()
        let application = application(connections)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await application.run() }
            group.addTask {
                while true {
                    try await Task.sleep(for: Self.sweep)
                    connections.closeIdle()
                }
            }
            group.addTask {
                try await gracefulShutdown()
                try await Task.sleep(for: Self.farewell)
            }
            defer { group.cancelAll() }
            try await group.next()
        }
    }

    private func application(_ connections: Connections) -> some ApplicationProtocol {
        var quiet = Logger(label: "autoqc.page")
        // The end of a connection that nobody reads is no error.
        quiet.logLevel = .critical
        let (logger, listening, host) = (logger, listening, settings.host)
        return Application(
            router: router(),
            server: .http1(
                configuration: .init(additionalChannelHandlers: [ConnectionWatch(connections)])
            ),
            configuration: ApplicationConfiguration(
                address: .hostname(settings.host, port: settings.port)
            ),
            onServerRunning: { channel in
                let port = channel.localAddress?.port ?? 0
                logger.info("The live page is open", metadata: ["address": "http://\(host):\(port)/"])
                listening(port)
            },
            logger: quiet
        )
    }
}
