import Logging
import Testing

@testable import Monitoring

struct StatusServiceTests {
    private let start = ContinuousClock.now
    private let manager = FakeServiceManager(watchdogInterval: .seconds(30))
    private let queue = FrameQueue(WellQueue(batchFrames: 4, capacity: 10))

    private func service(_ hearts: Heartbeat...) -> StatusService {
        var logger = Logger(label: "test")
        logger.logLevel = .critical
        return StatusService(
            notifier: manager,
            hearts: { hearts },
            queue: queue,
            statistics: Statistics(),
            obstacles: Obstacles(logger: logger),
            logger: logger
        )
    }

    @Test func saysNothingBeforeItIsReadyAndReadyOnce() {
        let status = service()
        status.beat()
        #expect(manager.all.isEmpty)
        status.becomeReady()
        status.becomeReady()
        #expect(
            manager.all == [
                "READY", "STATUS 0 waiting, 0.0 frames/s, 0 seen, 0 judged, 0 faulty, 0 quarantined",
                "WATCHDOG",
            ]
        )
    }

    @Test func theStatusSaysHowFarBehindItIs() {
        var load = Load(threads: 2)
        load.judged(1, in: .milliseconds(250))
        for second in 0...2 { _ = load.weigh(waiting: 98, now: start + .seconds(second)) }
        var standing = FrameQueue.Standing(count: 98, deferred: 0, since: nil, load: load, troubles: [])
        #expect(standing.words == "98 waiting, frames judged by half of their patches")
        for second in 3...8 { _ = load.weigh(waiting: 98, now: start + .seconds(second)) }
        standing = FrameQueue.Standing(count: 128, deferred: 30, since: nil, load: load, troubles: [])
        #expect(
            standing.words
                == "behind by 12.3 s, 128 waiting (30 deferred), frames judged by half of their patches, "
                + "every second one deferred"
        )
    }

    @Test func aFrozenJudgeStopsTheSignOfLife() {
        let (watching, judging) = (
            Heartbeat(name: "watching", now: start), Heartbeat(name: "judging", now: start)
        )
        let status = service(watching, judging)
        status.becomeReady()
        let before = manager.all.count { $0 == "WATCHDOG" }
        watching.tick(now: start + .seconds(100))
        status.beat(now: start + .seconds(100))
        #expect(manager.all.count { $0 == "WATCHDOG" } == before)
        judging.tick(now: start + .seconds(101))
        status.beat(now: start + .seconds(102))
        #expect(manager.all.count { $0 == "WATCHDOG" } == before + 1)
    }

    @Test func aWatcherThatWaitsForTheQueueIsExcused() {
        let watching = Heartbeat(name: "watching", now: start)
        watching.rest()
        #expect(watching.silence(now: start + .seconds(3600)) == .zero)
        watching.tick(now: start + .seconds(3600))
        #expect(watching.silence(now: start + .seconds(3631)) == .seconds(31))
    }
}
