import Logging
import ServiceLifecycle

/// Reads the configuration again when it is asked to, and keeps the old one where the new is wrong.
///
/// The last of the services, so that it is the first to stop: it tells the service manager that the end has begun.
struct ReloadService: Service {
    let requests: AsyncStream<Int32>
    let notifier: any ServiceNotifying
    let logger: Logger
    let reload: @Sendable () throws -> Void

    func run() async throws {
        await withGracefulShutdownHandler {
            await cancelWhenGracefulShutdown {
                for await _ in requests { handleRequest() }
                // Requests may end before the daemon does.
                try? await gracefulShutdown()
            }
        } onGracefulShutdown: {
            notifier.stopping()
        }
    }

    private func handleRequest() {
        notifier.reloading()
        do {
            try reload()
            logger.info("The configuration was read again")
        } catch {
            logger.error(
                "The new configuration is wrong and the old one stays",
                metadata: Logger.Metadata([.reason: "\(error)"])
            )
        }
        notifier.ready()
    }
}
