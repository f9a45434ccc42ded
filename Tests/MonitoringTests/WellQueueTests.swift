import Acquisition
import Plate
import Testing

@testable import Monitoring

struct WellQueueTests {
    private let start = ContinuousClock.now

    private func frame(_ well: String, _ index: Int, size: Int64 = 1) throws -> QueuedFrame {
        let name = "01_\(well)_f\(index).tif"
        return QueuedFrame(
            file: FrameFile(
                path: "/in/\(name)",
                root: "/in",
                relativePath: name,
                frame: FrameID(run: "01", well: try #require(Well(well)), index: index),
                identity: FileIdentity(device: 1, inode: 1, size: size, modified: Timestamp(nanoseconds: 0)),
                completed: Timestamp(nanoseconds: 0),
                found: .closed
            )
        )
    }

    private func queue(batch: Int = 4, wait: Duration = .seconds(2), capacity: Int = 1000) -> WellQueue {
        WellQueue(batchFrames: batch, batchWait: wait, capacity: capacity)
    }

    private func names(_ step: WellQueue.Step) -> [String] {
        guard case .batch(let frames) = step else { return [] }
        return frames.map { "\($0.file.frame.well)f\($0.file.frame.index)" }
    }

    @Test func aBatchIsDueWhenItIsWholeOrOld() throws {
        var queue = queue()
        #expect(queue.next(now: start) == .wait(until: nil))
        for index in 0..<3 { queue.add(try frame("B1", index), now: start + .seconds(1)) }
        #expect(queue.next(now: start + .seconds(1)) == .wait(until: start + .seconds(3)))
        #expect(names(queue.next(now: start + .seconds(3))) == ["B01f0", "B01f1", "B01f2"])
        for index in 3..<8 { queue.add(try frame("B1", index), now: start + .seconds(4)) }
        #expect(names(queue.next(now: start + .seconds(4))) == ["B01f3", "B01f4", "B01f5", "B01f6"])
        // The rest waits anew.
        #expect(queue.next(now: start + .seconds(4)) == .wait(until: start + .seconds(6)))
        queue.isDraining = true
        #expect(names(queue.next(now: start + .seconds(4))) == ["B01f7"])
        #expect(queue.count == 0)
    }

    @Test func framesOfAWellComeInTheOrderOfTime() throws {
        var queue = queue(batch: 3)
        for index in [9, 2, 11, 0, 10, 1] { queue.add(try frame("B1", index), now: start) }
        #expect(names(queue.next(now: start)) == ["B01f0", "B01f1", "B01f2"])
        #expect(names(queue.next(now: start)) == ["B01f9", "B01f10", "B01f11"])
    }

    @Test func aBacklogDoesNotKeepOtherWellsWaiting() throws {
        var queue = queue(batch: 2)
        for index in 0..<100 { queue.add(try frame("A1", index), now: start) }
        for well in ["B1", "C1"] {
            for index in 0..<4 { queue.add(try frame(well, index), now: start) }
        }
        var served: [String] = []
        for _ in 0..<7 { served += names(queue.next(now: start)).prefix(1).map { String($0.prefix(3)) } }
        #expect(served == ["A01", "B01", "C01", "A01", "B01", "C01", "A01"])
    }

    @Test func aWellWithNewFramesTakesItsTurnBehindTheBacklog() throws {
        var queue = queue(batch: 1)
        for index in 0..<10 { queue.add(try frame("A1", index), now: start) }
        var served: [String] = []
        for index in 0..<6 {
            queue.add(try frame("B1", index), now: start)
            served += names(queue.next(now: start))
        }
        #expect(served.count { $0.hasPrefix("A") } == 3)
    }

    @Test func theSameFileWaitsOnceWithItsNewestContent() throws {
        var queue = queue(batch: 2)
        queue.add(try frame("B1", 1), now: start)
        queue.add(try frame("B1", 1, size: 99), now: start)
        #expect(queue.count == 1)
        let expected = WellQueue.Step.batch([try frame("B1", 1, size: 99)])
        #expect(queue.next(now: start + .seconds(2)) == expected)
    }

    @Test func aFrameThatIsTriedAgainHoldsBackItsWellOnly() throws {
        var queue = queue(batch: 2)
        for index in 0..<4 { queue.add(try frame("B1", index), now: start) }
        guard case .batch(var frames) = queue.next(now: start) else { return #expect(Bool(false)) }
        frames[0].attempts = 1
        queue.putBack(frames, notBefore: start + .seconds(1), now: start)
        #expect(queue.count == 4)
        queue.add(try frame("C1", 0), now: start)
        queue.add(try frame("C1", 1), now: start)
        #expect(names(queue.next(now: start)) == ["C01f0", "C01f1"])
        #expect(queue.next(now: start) == .wait(until: start + .seconds(1)))
        queue.isDraining = true
        #expect(queue.next(now: start) == .wait(until: start + .seconds(1)))
        #expect(queue.next(now: start + .seconds(1)) == .batch(frames))
    }
}
