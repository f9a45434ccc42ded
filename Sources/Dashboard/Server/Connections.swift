import Hummingbird
import NIOCore
import NIOHTTPTypes
import Synchronization

/// The open connections of a page: who holds them, and for how long they may do nothing.
///
/// A connection that brings no whole request, or takes nothing of an answer, for `patience` is closed. Where a client, or all
/// of them, have as many as they may, a new one takes the place of the one that waits longest. So there is always room for the next
/// visitor, whatever the others do.
final class Connections: Sendable {
    /// What a connection does.
    private enum Doing: Int {
        /// No request is there, or a part of its head.
        case waiting
        /// Its head is there and the rest is not.
        case asking
        /// Its answer is not taken.
        case stuck
        /// It is answered.
        case answered
    }

    private struct Entry {
        let channel: any Channel
        let client: String
        var doing = Doing.waiting
        var since = ContinuousClock.now
        /// Requests whose answers have not left.
        var requests = 0
        var isAsking = false
        var isWritable = true

        /// Closed first is who does least; of those, who has done so longest.
        var rank: (Int, ContinuousClock.Instant) { (doing.rawValue, since) }

        mutating func weigh(isProgress: Bool = false) {
            let now: Doing =
                isAsking ? .asking : requests == 0 ? .waiting : isWritable ? .answered : .stuck
            if now != doing || isProgress { since = .now }
            doing = now
        }
    }

    /// Open connections of a client; a browser has up to six, and one for each page that is open.
    static let mostOfClient = 64
    /// Open connections.
    static let most = 512
    /// How long a connection may do nothing.
    static let patience = Duration.seconds(10)

    private let entries = Mutex<[ObjectIdentifier: Entry]>([:])

    /// How many there are.
    var count: Int { entries.withLock(\.count) }

    /// Takes note of a new connection; another one is closed where there are too many.
    func open(_ channel: any Channel) {
        let client = Self.client(of: channel)
        let closed = entries.withLock { entries -> (any Channel)? in
            let ofClient = entries.filter { $0.value.client == client }
            let candidates = ofClient.count >= Self.mostOfClient ? ofClient : entries
            guard ofClient.count >= Self.mostOfClient || entries.count >= Self.most else {
                entries[ObjectIdentifier(channel)] = Entry(channel: channel, client: client)
                return nil
            }
            let idlest = candidates.filter { $0.value.doing != .answered }
                .min { $0.value.rank < $1.value.rank }
            // All of them are being answered.
            guard let idlest else { return channel }
            entries[idlest.key] = nil
            entries[ObjectIdentifier(channel)] = Entry(channel: channel, client: client)
            return idlest.value.channel
        }
        closed?.close(promise: nil)
    }

    /// Forgets a connection that is closed.
    func close(_ channel: any Channel) {
        entries.withLock { $0[ObjectIdentifier(channel)] = nil }
    }

    /// A part of a request came.
    func read(_ part: HTTPRequestPart, on channel: any Channel) {
        change(channel) { entry in
            switch part {
            case .head:
                entry.requests += 1
                entry.isAsking = true
            case .body: return
            case .end: entry.isAsking = false
            }
            entry.weigh()
        }
    }

    /// An answer has left as a whole.
    func answered(_ channel: any Channel) {
        change(channel) { entry in
            entry.requests -= 1
            entry.weigh(isProgress: true)
        }
    }

    /// The client takes what is written, or does not.
    func isWritable(_ isWritable: Bool, _ channel: any Channel) {
        change(channel) { entry in
            entry.isWritable = isWritable
            entry.weigh()
        }
    }

    private func change(_ channel: any Channel, _ body: (inout Entry) -> Void) {
        entries.withLock { entries in
            guard var entry = entries.removeValue(forKey: ObjectIdentifier(channel)) else { return }
            body(&entry)
            entries[ObjectIdentifier(channel)] = entry
        }
    }

    /// Closes those that have done nothing for too long.
    func closeIdle(now: ContinuousClock.Instant = .now) {
        let idle = entries.withLock { entries in
            entries.values.filter { $0.doing != .answered && now - $0.since >= Self.patience }
        }
        for entry in idle { entry.channel.close(promise: nil) }
    }

    /// The address of whoever is at the other end, without the port.
    static func client(of channel: any Channel) -> String { channel.remoteAddress?.ipAddress ?? "" }
}

/// Tells `Connections` what happens on one of them.
final class ConnectionWatch: ChannelDuplexHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPRequestPart
    typealias InboundOut = HTTPRequestPart
    typealias OutboundIn = HTTPResponsePart
    typealias OutboundOut = HTTPResponsePart

    private let connections: Connections

    init(_ connections: Connections) { self.connections = connections }

    func handlerAdded(context: ChannelHandlerContext) {
        connections.open(context.channel)
        let (connections, channel) = (connections, context.channel)
        channel.closeFuture.whenComplete { _ in connections.close(channel) }
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        connections.read(unwrapInboundIn(data), on: context.channel)
        context.fireChannelRead(data)
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        guard case .end = unwrapOutboundIn(data) else { return context.write(data, promise: promise) }
        let (connections, channel) = (connections, context.channel)
        let left = promise ?? context.eventLoop.makePromise()
        left.futureResult.whenSuccess { connections.answered(channel) }
        context.write(data, promise: left)
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        connections.isWritable(context.channel.isWritable, context.channel)
        context.fireChannelWritabilityChanged()
    }
}

/// What is known of a request beside its own words.
struct PageContext: RequestContext {
    var coreContext: CoreRequestContextStorage
    /// Whoever asks.
    let client: String
    /// The connection.
    let channel: any Channel

    init(source: ApplicationRequestContextSource) {
        coreContext = CoreRequestContextStorage(source: source)
        channel = source.channel
        client = Connections.client(of: source.channel)
    }
}
