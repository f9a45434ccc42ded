import Acquisition
import Auditing
import Foundation
import Ledger
import Plate
import TestSupport
import Testing

struct BarrierTests {
    @Test func waitsForWhatLayThereAndNothingElse() async throws {
        try await withTemporaryFolder { folder in
            let plate = try AuditedPlate(in: folder)
            try plate.judge(0)
            for name in ["01_B1_f1.tif", "01_B1_f2.tif", "01_B1_f3.tif"] { try plate.write(name) }
            let listing = FrameListing(roots: [plate.watched.path], pattern: try FramePattern())
            var barrier = Barrier(listing)
            #expect(barrier.waiting.count == 4)
            try barrier.look(into: plate.ledger)
            #expect(
                barrier.waiting.map(\.source.path).sorted() == [
                    "01_B1_f1.tif", "01_B1_f2.tif", "01_B1_f3.tif",
                ]
            )
            // Judged, removed, and written anew before it is judged; what comes now is not waited for.
            try plate.judge(1)
            try FileManager.default.removeItem(at: plate.watched.appending(path: "01_B1_f2.tif"))
            try plate.write("01_B1_f3.tif", "more pixels than before")
            try plate.write("01_B1_f4.tif")
            try barrier.look(into: plate.ledger)
            #expect(barrier.waiting.map(\.source.path) == ["01_B1_f3.tif"])
            try plate.judge(3)
            try barrier.look(into: plate.ledger)
            #expect(barrier.waiting.isEmpty)
        }
    }
}
