import Acquisition
import Foundation
import Plate
import Testing

@testable import Monitoring

@Suite(.timeLimit(.minutes(3)))
struct FrameQueueTests {
    @Test func offersWaitForRoomAndNothingIsLost() async throws {
        try await Bench.with { bench in
            let queue = FrameQueue(WellQueue(batchFrames: 7, batchWait: .zero, capacity: 10))
            let files = try (0..<200).map { try bench.file("01_B1_f\($0).tif", "1", frame: $0) }
            let largest = Recorder<Int>()
            async let offered = offer(files, to: queue)
            // On a thread of its own, as in the daemon: taking blocks.
            let taken: [Int] = await withCheckedContinuation { continuation in
                Thread {
                    var taken: [Int] = []
                    while true {
                        largest.add(queue.count)
                        guard case .batch(let frames) = queue.next(within: .seconds(60)) else { break }
                        taken += frames.map(\.file.frame.index)
                    }
                    continuation.resume(returning: taken)
                }.start()
            }
            #expect(await offered == 200)
            #expect(taken == Array(0..<200))
            #expect(largest.all.allSatisfy { $0 <= 10 })
        }
    }

    private func offer(_ files: [FrameFile], to queue: FrameQueue) async -> Int {
        var count = 0
        for file in files where await queue.offer(QueuedFrame(file: file)) { count += 1 }
        queue.close()
        return count
    }

    @Test func aClosedQueueRefusesAndFinishes() async throws {
        try await Bench.with { bench in
            let queue = FrameQueue(WellQueue(batchFrames: 4, batchWait: .seconds(3600), capacity: 10))
            let file = try bench.file("01_B1_f1.tif", "1", frame: 1)
            #expect(await queue.offer(QueuedFrame(file: file)))
            #expect(queue.next(within: .zero) == .idle)
            queue.close()
            #expect(await queue.offer(QueuedFrame(file: file)) == false)
            #expect(queue.next(within: .zero) == .batch([QueuedFrame(file: file)]))
            #expect(queue.next(within: .zero) == .finished)
        }
    }

    @Test func anAbandonedQueueDropsAndReleasesEverybody() async throws {
        try await Bench.with { bench in
            let queue = FrameQueue(WellQueue(batchFrames: 4, batchWait: .seconds(3600), capacity: 1))
            let file = try bench.file("01_B1_f1.tif", "1", frame: 1)
            #expect(await queue.offer(QueuedFrame(file: file)))
            async let refused = queue.offer(QueuedFrame(file: file))
            #expect(queue.abandon() == 1)
            #expect(await refused == false)
            #expect(queue.pause(for: .seconds(3600)) == false)
            queue.putBack([QueuedFrame(file: file)], after: .zero)
            #expect(queue.next(within: .seconds(3600)) == .finished)
        }
    }
}
