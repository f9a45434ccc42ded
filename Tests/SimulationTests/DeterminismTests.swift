import Dispatch
import Faults
import Plate
import Simulation
import Synchronization
import Testing

struct DeterminismTests {
    /// Pinned: another number means that simulated sets are no longer those that were published with a seed.
    @Test func aFrameHasTheSameBitsOnEveryMachine() throws {
        let fault = Fault(form: .mould, strength: 0.6, seed: 3)
        var scene = SmallMicroscope.make(jpegQuality: 82).scene(of: SmallMicroscope.wells[0], faults: [fault])
        #expect(SmallMicroscope.digest(scene.frame(2).frame) == 12_994_033_405_748_134_560)
    }

    @Test func oneThreadAndTwoGiveTheSameFrames() {
        let wells = SmallMicroscope.wells
        let one = SmallMicroscope.make()
        let expected = wells.map { well in
            var scene = one.scene(of: well)
            return scene.frame(1)
        }
        let two = SmallMicroscope.make()
        let found = Mutex([Int: LabelledFrame]())
        DispatchQueue.concurrentPerform(iterations: wells.count) { index in
            var scene = two.scene(of: wells[index])
            let frame = scene.frame(1)
            found.withLock { $0[index] = frame }
        }
        #expect(found.withLock { frames in wells.indices.map { frames[$0] } } == expected)
    }

    @Test func anyFrameCanBeHadAtAnyTime() {
        let microscope = SmallMicroscope.make()
        var forward = microscope.scene(of: SmallMicroscope.wells[1])
        let frames = (0...4).map { forward.frame($0) }
        var jump = microscope.scene(of: SmallMicroscope.wells[1])
        #expect(jump.frame(4) == frames[4])
        #expect(jump.frame(1) == frames[1])
        #expect(frames[0] != frames[1])
    }

    @Test func otherSeedsWellsAndPlatesDiffer() {
        let frames = [
            SmallMicroscope.make().scene(of: SmallMicroscope.wells[0]),
            SmallMicroscope.make(seed: 8).scene(of: SmallMicroscope.wells[0]),
            SmallMicroscope.make().scene(of: SmallMicroscope.wells[1]),
            SmallMicroscope.make().scene(of: SmallMicroscope.wells[0], plate: 1),
        ].map { scene in
            var scene = scene
            return SmallMicroscope.digest(scene.frame(0).frame)
        }
        #expect(Set(frames).count == frames.count)
    }
}
