import Foundation
import Ledger
import Logging
import Plate
import TestSupport
import Testing

@testable import Acquisition
@testable import Monitoring

@Suite(.timeLimit(.minutes(20)))
struct JudgingServiceTests {
    private struct Broken: Error {}

    @Test func aThreadThatFailsForGoodEndsTheOthersAndTheService() async throws {
        try await Bench.with { bench in
            let queue = FrameQueue(WellQueue(batchFrames: 1, capacity: 10))
            let file = try bench.file("01_B1_f1.tif", "1", frame: 1)
            #expect(await queue.offer(QueuedFrame(file: file)))
            let service = JudgingService(
                queue: queue,
                pipeline: try bench.pipeline(reached: { if $0 == .judged { throw Broken() } }),
                stalls: try bench.stalls(),
                crew: JudgingCrew(),
                threads: 2,
                logger: Logger(label: "test"),
                stopTimeout: { .zero },
                finished: {}
            )
            // Nobody closes the queue: the other thread would wait for frames for ever.
            await #expect(throws: Broken.self) { try await service.run() }
        }
    }

    /// Does not answer for files of one folder until the gate is opened.
    private struct SilentFolder: FrameReading {
        let root: String
        let gate: DispatchSemaphore

        func open(_ path: String) throws(FrameReadError) -> any OpenFrames {
            guard path.hasPrefix(root) else { return try FakeReader().open(path) }
            gate.wait()
            gate.signal()
            throw FrameReadError(kind: .unreadable, reason: "it is nothing")
        }
    }

    @Test func aThreadThatWaitsForASilentFolderIsRelieved() async throws {
        try await Bench.with { bench in
            let queue = FrameQueue(WellQueue(batchFrames: 1, capacity: 10))
            let gate = DispatchSemaphore(value: 0)
            let silent = FrameFile(
                source: FrameSource(root: "/silent", path: "02_C1_f1.tif"),
                frame: FrameID(run: "02", well: try #require(Well("C1")), index: 1),
                completed: Timestamp(nanoseconds: 0),
                found: .listed
            )
            #expect(await queue.offer(QueuedFrame(file: silent)))
            let crew = JudgingCrew()
            let service = JudgingService(
                queue: queue,
                pipeline: try bench.pipeline(reader: SilentFolder(root: "/silent", gate: gate)),
                stalls: try bench.stalls(),
                crew: crew,
                threads: 1,
                logger: Logger(label: "test"),
                stopTimeout: { .zero },
                finished: {}
            )
            let judging = Task { try await service.judge() }
            for index in 1...3 {
                let file = try bench.file("01_B1_f\(index).tif", "1", frame: index)
                #expect(await queue.offer(QueuedFrame(file: file)))
            }
            // The only thread waits for the other folder; one that takes its place judges these.
            while try bench.ledger().counts()[.judged] != 3 { try await Task.sleep(for: .milliseconds(100)) }
            #expect(crew.hearts.count == 1)
            // A second frame of the silent folder is left alone, and judged once the folder answers.
            gate.signal()
            while try bench.ledger().counts()[.quarantined] != 1 {
                try await Task.sleep(for: .milliseconds(100))
            }
            queue.close()
            try await judging.value
        }
    }
}
