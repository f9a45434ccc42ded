import Detection
import Faults
import Foundation
import Frames
import Plate
import Tensors
import TestSupport
import Testing

@testable import Verdict

struct ScratchTests {
    @Test func scratch() throws {
        let model = packageRoot.appending(path: "examples/models/complexeye.safetensors").path
        let detector = try Detector(path: model, precision: .float32)
        let frame = try TIFFReader(path: packageRoot.appending(path: "examples/frames/01_A1_f300.tiff").path)
            .frame(page: 0)
        var out = ""
        for cause in [Cause.airBubble, .artifact, .zShift, .illumination, .contamination] {
            for seed in 0..<6 as Range<UInt64> {
                guard let copy = TestFault.copy(of: frame, cause: cause, seed: seed) else { continue }
                let j = detector.judge(copy)
                out +=
                    "\(cause.rawValue) \(seed) sev \(j.severity) cause \(j.cause) area \(j.area) box \(j.boundingBox?.description ?? "") \(j.terms.map { String(format: "%@=%.2f", $0.term, $0.value) })\n"
            }
        }
        try out.write(toFile: "/tmp/scratch.txt", atomically: true, encoding: .utf8)
    }
}
