import Logging
import TestSupport
import Testing

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
}
