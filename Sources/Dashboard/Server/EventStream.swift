import Foundation
import HTTPTypes
import Hummingbird
import NIOCore
import ServiceLifecycle
import Synchronization

/// Server-sent events: what changed on a plate, to every page that is open, no more than a page shows.
///
/// `plate` carries the wells with an outcome since the last one, `status` the header. The id of an event is the place in the
/// order of recording, with which a browser goes on after a break.
final class EventStream: Sendable {
    /// Pages that may be open at once.
    static let mostReaders = 64
    /// Of them, those of one client.
    static let mostOfClient = 16
    private static let interval = Duration.seconds(1)
    private static let statusEvery = 2
    /// Rounds between two looks at every well: one that stalls has no outcome that would tell.
    private static let wholeEvery = 10

    /// The places of the readers that are there.
    ///
    /// A new reader takes the place of the oldest one where there are too many: whoever reads comes again, and whoever does not is
    /// found out only when all buffers are full.
    private final class Places: Sendable {
        private struct Reader {
            let number: Int
            let client: String
            let channel: any Channel
        }

        private let readers = Mutex<(list: [Reader], last: Int)>(([], 0))

        /// A place for one more reader.
        func place(for client: String, on channel: any Channel) -> Place {
            let (number, oldest) = readers.withLock { readers in
                let isFull = readers.list.count { $0.client == client } >= EventStream.mostOfClient
                let index =
                    isFull
                    ? readers.list.firstIndex { $0.client == client }
                    : readers.list.count >= EventStream.mostReaders ? 0 : nil
                let oldest = index.map { readers.list.remove(at: $0).channel }
                readers.last += 1
                readers.list.append(Reader(number: readers.last, client: client, channel: channel))
                return (readers.last, oldest)
            }
            oldest?.close(promise: nil)
            return Place(number, of: self)
        }

        fileprivate func leave(_ number: Int) {
            readers.withLock { $0.list.removeAll { $0.number == number } }
        }
    }

    /// A reader's place, which is free again when nothing holds it, whether or not a byte was sent.
    private final class Place: Sendable {
        private let number: Int
        private let places: Places

        init(_ number: Int, of places: Places) { (self.number, self.places) = (number, places) }

        deinit { places.leave(number) }
    }

    private let site: Site
    private let places = Places()

    init(_ site: Site) {
        self.site = site
    }

    /// An answer that goes on until the page is closed or the server stops.
    func response(_ context: PageContext, run: String?, after sequence: Int64) -> Response {
        let place = places.place(for: context.client, on: context.channel)
        return Response(
            status: .ok,
            headers: [.contentType: "text/event-stream; charset=utf-8", .cacheControl: "no-store"],
            body: ResponseBody { writer in
                defer { withExtendedLifetime(place) {} }
                try await self.send(run, after: sequence, to: &writer)
                try await writer.finish(nil)
            }
        )
    }

    private func send(
        _ run: String?,
        after sequence: Int64,
        to writer: inout any ResponseBodyWriter
    ) async throws {
        var news = PlateNews(sequence: sequence)
        var round = 0
        try await writer.write(ByteBuffer(string: "retry: 2000\n\n"))
        while !Task.isShuttingDownGracefully, !Task.isCancelled {
            if round % Self.statusEvery == 0 {
                let status = try await site.status()
                try await writer.write(Self.event("status", try Answer.encode(status), id: nil))
            }
            if let run {
                let after = round % Self.wholeEvery == 0 && round > 0 ? 0 : news.sequence
                if let plate = news.update(try await site.ask { try $0.plate(run, after: after) }) {
                    try await writer.write(Self.event("plate", try Answer.encode(plate), id: plate.sequence))
                }
            }
            round += 1
            try? await cancelWhenGracefulShutdown { try await Task.sleep(for: Self.interval) }
        }
    }

    /// What a page knows already.
    private struct PlateNews {
        var sequence: Int64
        var known: [String: WellState] = [:]
        var patterns: [Answer.Pattern] = []

        /// The wells that look otherwise than before; `nil` for none.
        mutating func update(_ plate: Answer.Plate) -> Answer.Plate? {
            let isNew = plate.sequence < sequence
            let wells = plate.wells.filter {
                $0.sequence > sequence || isNew || known[$0.well] != nil && known[$0.well] != $0.state
                    || known[$0.well] == nil && $0.state == .stalled
            }
            for well in plate.wells { known[well.well] = well.state }
            sequence = plate.sequence
            // A pattern is announced a moment after the wells that it follows from.
            let isOtherPattern = plate.patterns != patterns
            patterns = plate.patterns
            guard !wells.isEmpty || isNew || isOtherPattern else { return nil }
            var changed = plate
            changed.wells = wells
            return changed
        }
    }

    private static func event(_ name: String, _ data: Data, id: Int64?) -> ByteBuffer {
        var buffer = ByteBuffer(string: "event: \(name)\n")
        if let id { buffer.writeString("id: \(id)\n") }
        buffer.writeString("data: ")
        buffer.writeBytes(data)
        buffer.writeString("\n\n")
        return buffer
    }
}
