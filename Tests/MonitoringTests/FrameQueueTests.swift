import Acquisition
import Foundation
import Plate
import Synchronization
import Testing

@testable import Monitoring

@Suite(.timeLimit(.minutes(20)))
struct FrameQueueTests {
    @Test func offersWaitForRoomAndNothingIsLost() async throws {
        try await Bench.with { bench in
            let queue = FrameQueue(WellQueue(batchFrames: 7, capacity: 10))
            let files = try (0..<200).map { try bench.file("01_B1_f\($0).tif", "1", frame: $0) }
            let largest = Recorder<Int>()
            async let offered = Self.offer(files, to: queue)
            // On a thread of its own, as in the daemon: taking blocks.
            let taken: [Int] = await withCheckedContinuation { continuation in
                Thread {
                    var taken: [Int] = []
                    queue.forEachBatch { batch in
                        largest.add(queue.standing.count)
                        taken += batch.frames.map(\.file.frame.index)
                        queue.finish(batch)
                    }
                    continuation.resume(returning: taken)
                }.start()
            }
            #expect(await offered == 200)
            #expect(taken == Array(0..<200))
            #expect(largest.all.allSatisfy { $0 <= 10 })
        }
    }

    @Test func itIsQuietOnceNothingWaits() async throws {
        try await Bench.with { bench in
            let queue = FrameQueue(WellQueue(batchFrames: 4, capacity: 10))
            #expect(queue.isQuiet)
            let file = try bench.file("01_B1_f1.tif", "1", frame: 1)
            #expect(await queue.offer(QueuedFrame(file: file)))
            #expect(!queue.isQuiet)
            let isTaken: Bool = await withCheckedContinuation { continuation in
                Thread {
                    if case .batch = queue.next(within: .seconds(60)) {
                        continuation.resume(returning: true)
                    } else {
                        continuation.resume(returning: false)
                    }
                }.start()
            }
            #expect(isTaken && queue.isQuiet)
        }
    }

    private static func offer(_ files: [FrameFile], to queue: FrameQueue) async -> Int {
        var count = 0
        for file in files where await queue.offer(QueuedFrame(file: file)) { count += 1 }
        queue.close()
        return count
    }

    @Test func aClosedQueueRefusesAndFinishes() async throws {
        try await Bench.with { bench in
            let queue = FrameQueue(WellQueue(batchFrames: 4, capacity: 10))
            let file = try bench.file("01_B1_f1.tif", "1", frame: 1)
            #expect(await queue.offer(QueuedFrame(file: file)))
            queue.close()
            #expect(await queue.offer(QueuedFrame(file: file)) == false)
            let batch = WellQueue.Batch(frames: [QueuedFrame(file: file)], tier: .full)
            #expect(queue.next(within: .zero) == .batch(batch))
            // It may come back, to whichever thread.
            #expect(queue.next(within: .zero) == .idle)
            queue.finish(batch, retry: FramePipeline.Retry(frames: batch.frames, delay: .zero))
            #expect(queue.next(within: .zero) == .batch(batch))
            queue.finish(batch)
            #expect(queue.next(within: .zero) == .finished)
        }
    }

    @Test func anAbandonedQueueDropsAndReleasesEverybody() async throws {
        try await Bench.with { bench in
            let queue = FrameQueue(WellQueue(batchFrames: 4, capacity: 1))
            let file = try bench.file("01_B1_f1.tif", "1", frame: 1)
            #expect(await queue.offer(QueuedFrame(file: file)))
            async let refused = queue.offer(QueuedFrame(file: file))
            #expect(queue.abandon().count == 1)
            #expect(await refused == false)
            #expect(queue.pause(for: .seconds(3600)) == false)
            #expect(queue.next(within: .seconds(3600)) == .finished)
        }
    }

    @Test func noWellIsAtTwoThreadsAtOnceAndItsFramesStayInOrder() async throws {
        try await Bench.with { bench in
            let queue = FrameQueue(WellQueue(batchFrames: 3, capacity: 50))
            let files = try (0..<400).map { index in
                let well = ["A1", "B1", "C1", "D1"][index % 4]
                return try bench.file("01_\(well)_f\(index).tif", "1", well: well, frame: index)
            }
            let out = WellsThatAreOut()
            let taken = Recorder<FrameID>()
            await withTaskGroup(of: Void.self) { group in
                group.addTask { _ = await Self.offer(files, to: queue) }
                for _ in 0..<4 {
                    group.addTask {
                        await Self.onThread {
                            queue.forEachBatch { batch in
                                let well = batch.frames[0].file.frame.well
                                #expect(out.begin(well))
                                batch.frames.forEach { taken.add($0.file.frame) }
                                out.end(well)
                                queue.finish(batch)
                            }
                        }
                    }
                }
            }
            #expect(taken.all.count == 400)
            for (_, frames) in Dictionary(grouping: taken.all, by: \.well) {
                #expect(frames.map(\.index) == frames.map(\.index).sorted())
            }
        }
    }

    private final class WellsThatAreOut: Sendable {
        private let wells = Mutex<Set<Well>>([])
        func begin(_ well: Well) -> Bool { wells.withLock { $0.insert(well).inserted } }
        func end(_ well: Well) { wells.withLock { _ = $0.remove(well) } }
    }

    private static func onThread(_ body: @escaping @Sendable () -> Void) async {
        await withCheckedContinuation { continuation in
            Thread {
                body()
                continuation.resume()
            }.start()
        }
    }
}

extension FrameQueue {
    /// Takes batches until the queue is finished; whoever offers may wait for a processor for long.
    fileprivate func forEachBatch(_ body: (WellQueue.Batch) -> Void) {
        while true {
            switch next(within: .seconds(1)) {
            case .batch(let batch): body(batch)
            case .idle: continue
            case .finished: return
            }
        }
    }
}
