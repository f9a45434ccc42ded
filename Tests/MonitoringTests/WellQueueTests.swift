import Plate
import Testing

@testable import Acquisition
@testable import Monitoring

struct WellQueueTests {
    private let start = ContinuousClock.now

    private func frame(_ well: String, _ index: Int, size: Int64 = 1) throws -> QueuedFrame {
        let name = "01_\(well)_f\(index).tif"
        return QueuedFrame(
            file: FrameFile(
                source: FrameSource(
                    root: "/in",
                    path: name,
                    identity: FileIdentity(
                        inode: 1,
                        size: size,
                        modified: Timestamp(nanoseconds: 0)
                    )
                ),
                frame: FrameID(run: "01", well: try #require(Well(well)), index: index),
                completed: Timestamp(nanoseconds: 0),
                found: .closed
            )
        )
    }

    private func queue(batch: Int = 4) -> WellQueue { WellQueue(batchFrames: batch, capacity: 1000) }

    private func names(_ batch: WellQueue.Batch?) -> [String] {
        batch?.frames.map { "\($0.file.frame.well)f\($0.file.frame.index)" } ?? []
    }

    private func batch(_ queue: inout WellQueue, at time: Duration = .zero) -> WellQueue.Batch? {
        guard case .batch(let batch) = queue.next(now: start + time) else { return nil }
        return batch
    }

    /// Takes a batch and ends it at once.
    private func serve(_ queue: inout WellQueue, at time: Duration = .zero) -> [String] {
        guard let batch = batch(&queue, at: time) else { return [] }
        queue.finish(batch, now: start + time)
        return names(batch)
    }

    @Test func noFrameWaitsForCompany() throws {
        var queue = queue()
        #expect(queue.next(now: start) == .wait(until: nil))
        queue.add(try frame("B1", 0))
        #expect(serve(&queue) == ["B01f0"])
        for index in 1..<7 { queue.add(try frame("B1", index)) }
        #expect(serve(&queue) == ["B01f1", "B01f2", "B01f3", "B01f4"])
        #expect(serve(&queue) == ["B01f5", "B01f6"])
        #expect(queue.count == 0)
    }

    @Test func framesOfAWellComeInTheOrderOfTime() throws {
        var queue = queue(batch: 3)
        for index in [9, 2, 11, 0, 10, 1] { queue.add(try frame("B1", index)) }
        #expect(serve(&queue) == ["B01f0", "B01f1", "B01f2"])
        #expect(serve(&queue) == ["B01f9", "B01f10", "B01f11"])
    }

    @Test func aWellIsBusyUntilItsBatchIsFinished() throws {
        var queue = queue(batch: 1)
        for index in 0..<3 { queue.add(try frame("B1", index)) }
        let first = try #require(batch(&queue))
        #expect(queue.next(now: start) == .wait(until: nil))
        queue.add(try frame("C1", 0))
        #expect(names(batch(&queue)) == ["C01f0"])
        queue.finish(first, now: start)
        #expect(serve(&queue) == ["B01f1"])
    }

    @Test func aBacklogDoesNotKeepOtherWellsWaiting() throws {
        var queue = queue(batch: 2)
        for index in 0..<100 { queue.add(try frame("A1", index)) }
        for well in ["B1", "C1"] {
            for index in 0..<4 { queue.add(try frame(well, index)) }
        }
        var served: [String] = []
        for _ in 0..<7 { served += serve(&queue).prefix(1).map { String($0.prefix(3)) } }
        #expect(served == ["A01", "B01", "C01", "A01", "B01", "C01", "A01"])
    }

    @Test func aWellWithNewFramesTakesItsTurnBehindTheBacklog() throws {
        var queue = queue(batch: 1)
        for index in 0..<10 { queue.add(try frame("A1", index)) }
        var served: [String] = []
        for index in 0..<6 {
            queue.add(try frame("B1", index))
            served += serve(&queue)
        }
        #expect(served.count { $0.hasPrefix("A") } == 3)
    }

    @Test func theWellWithoutAVerdictForLongestComesFirst() throws {
        var queue = queue(batch: 1)
        for well in ["A1", "B1", "C1"] { queue.add(try frame(well, 0)) }
        for _ in 0..<3 { _ = serve(&queue) }
        // They come the other way round.
        for well in ["C1", "B1", "A1", "D1"] { queue.add(try frame(well, 1)) }
        var served: [String] = []
        for _ in 0..<4 { served += serve(&queue) }
        #expect(served == ["D01f1", "A01f1", "B01f1", "C01f1"])
    }

    @Test func theSameFileWaitsOnceWithItsNewestContent() throws {
        var queue = queue(batch: 2)
        queue.add(try frame("B1", 1))
        queue.add(try frame("B1", 1, size: 99))
        #expect(queue.count == 1)
        #expect(batch(&queue)?.frames == [try frame("B1", 1, size: 99)])
    }

    @Test func aFrameThatIsTriedAgainHoldsBackItsWellOnly() throws {
        var queue = queue(batch: 2)
        for index in 0..<4 { queue.add(try frame("B1", index)) }
        let first = try #require(batch(&queue))
        var frames = first.frames
        frames[0].attempts = 1
        queue.finish(first, retries: frames, notBefore: start + .seconds(1), now: start)
        #expect(queue.count == 4)
        queue.add(try frame("C1", 0))
        #expect(serve(&queue) == ["C01f0"])
        #expect(queue.next(now: start) == .wait(until: start + .seconds(1)))
        #expect(batch(&queue, at: .seconds(1))?.frames == frames)
    }

    @Test func aWellInTroubleDoesNotCountAsBeingBehind() throws {
        var queue = queue(batch: 1)
        queue.add(try frame("A1", 0))
        let first = try #require(batch(&queue))
        var frames = first.frames
        frames[0].trouble = QueuedFrame.Trouble(reason: "a folder is in the way", attempts: 1)
        queue.finish(first, retries: frames, notBefore: start + .seconds(1), now: start + .seconds(10))
        for index in 1..<100 { queue.add(try frame("A1", index)) }
        queue.add(try frame("B1", 0))
        #expect((queue.count, queue.held, queue.pressing) == (101, 100, 1))
        #expect(queue.troubles.values.map(\.file.frame.index) == [0])
        #expect(serve(&queue) == ["B01f0"])
        // Written at last.
        let again = try #require(batch(&queue, at: .seconds(20)))
        queue.finish(again, now: start + .seconds(20))
        #expect(queue.troubles.isEmpty && queue.pressing == 99)
    }

    @Test func aWellInTroubleLeavesRoomForTheOthers() throws {
        var queue = WellQueue(batchFrames: 1, capacity: 10, reserve: 5)
        queue.add(try frame("A1", 0))
        var frames = try #require(batch(&queue)).frames
        frames[0].trouble = QueuedFrame.Trouble(reason: "a folder is in the way", attempts: 1)
        queue.finish(WellQueue.Batch(frames: frames, tier: .full), retries: frames, now: start)
        for index in 1..<100 { queue.add(try frame("A1", index)) }
        #expect(queue.hasRoomForOld && !queue.isFull)
        for index in 0..<15 { queue.add(try frame("B1", index)) }
        #expect(!queue.hasRoomForOld && queue.isFull)
    }

    @Test func farBehindHalfOfTheFramesWaitAndNewestComeFirst() throws {
        var queue = queue(batch: 1)
        // One frame took ten seconds.
        queue.add(try frame("A1", 0))
        let first = try #require(batch(&queue))
        queue.finish(first, now: start + .seconds(10))
        for index in 1...8 where index != 5 { queue.add(try frame("A1", index)) }
        #expect(queue.weighLoad(now: start) == nil)
        #expect(queue.deferred == 0)
        #expect(queue.weighLoad(now: start + .seconds(2))?.now == .halfPatches)
        #expect(queue.weighLoad(now: start + .seconds(3)) == nil)
        #expect(queue.deferred == 0)
        #expect(queue.weighLoad(now: start + .seconds(8))?.now == .deferring)
        queue.add(try frame("A1", 9))
        #expect((queue.count, queue.deferred, queue.pressing) == (8, 4, 4))
        var served: [String] = []
        var tiers: [Tier] = []
        while let batch = batch(&queue) {
            served += names(batch)
            tiers.append(batch.tier)
            queue.finish(batch, now: start)
        }
        #expect(served == [8, 6, 4, 2, 9, 7, 3, 1].map { "A01f\($0)" })
        #expect(tiers == Array(repeating: .half, count: 4) + Array(repeating: .deferred, count: 4))
    }

    @Test func behindFramesComeInOrderAndAreJudgedByHalf() throws {
        var queue = queue(batch: 1)
        queue.add(try frame("A1", 0))
        let first = try #require(batch(&queue))
        queue.finish(first, now: start + .seconds(10))
        for index in 1...4 { queue.add(try frame("A1", index)) }
        var old = try frame("B1", 0)
        old.isFromStart = true
        queue.add(old)
        #expect(queue.weighLoad(now: start) == nil)
        #expect(queue.weighLoad(now: start + .seconds(2))?.now == .halfPatches)
        var served: [String] = []
        while let batch = batch(&queue) {
            served += names(batch).map { "\($0) \(batch.tier)" }
            queue.finish(batch, now: start)
        }
        #expect(served == (1...4).map { "A01f\($0) half" } + ["B01f0 full"])
    }

    /// A queue in which so many frames of `A1` lay there at the start, after one of another run that took a second.
    private func queueWithPast(_ frames: Range<Int>) throws -> WellQueue {
        var queue = queue(batch: 2)
        queue.add(try frame("Z1", 0))
        let first = try #require(batch(&queue))
        queue.finish(first, now: start + .seconds(1))
        for index in frames {
            var old = try frame("A1", index)
            old.isFromStart = true
            queue.add(old)
        }
        return queue
    }

    @Test func whatComesNowGoesBeforeALongPast() throws {
        var queue = try queueWithPast(0..<20)
        for index in 20..<23 { queue.add(try frame("A1", index)) }
        queue.add(try frame("B1", 22))
        #expect(serve(&queue) == ["A01f20", "A01f21"])
        #expect(serve(&queue) == ["B01f22"])
        #expect(serve(&queue) == ["A01f22"])
        #expect(serve(&queue) == ["A01f0", "A01f1"])
        queue.add(try frame("A1", 23))
        #expect(serve(&queue) == ["A01f23"])
    }

    @Test func aShortPastKeepsTheOrderOfTime() throws {
        var queue = try queueWithPast(0..<4)
        for index in 4..<6 { queue.add(try frame("A1", index)) }
        #expect(serve(&queue) == ["A01f0", "A01f1"])
        #expect(serve(&queue) == ["A01f2", "A01f3"])
        #expect(serve(&queue) == ["A01f4", "A01f5"])
    }

    @Test func whatComesNowFindsRoomBesideThePast() throws {
        var queue = WellQueue(batchFrames: 4, capacity: 2, reserve: 1)
        for index in 0..<2 {
            #expect(queue.hasRoomForOld)
            queue.add(try frame("A1", index))
        }
        #expect(!queue.hasRoomForOld && !queue.isFull)
        queue.add(try frame("A1", 2))
        #expect(queue.isFull)
    }

    @Test func whatLayThereAtTheStartDoesNotCountAsBeingBehind() throws {
        var queue = queue(batch: 1)
        for index in 0..<100 {
            var old = try frame("A1", index)
            old.isFromStart = true
            queue.add(old)
        }
        let first = try #require(batch(&queue))
        queue.finish(first, now: start + .seconds(10))
        for second in 0..<100 { #expect(queue.weighLoad(now: start + .seconds(second)) == nil) }
        #expect(queue.load.lag == .zero)
    }
}
