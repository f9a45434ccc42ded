import Foundation
import Tensors

/// One run of the fuzzer: the bytes become an ONNX file, which is read as `autoqc import` reads it.
///
/// Compiled by `run.sh` into one module with the sources of ONNX, so that the fuzzer sees its branches.
@_cdecl("LLVMFuzzerTestOneInput")
package func fuzzOne(_ start: UnsafePointer<UInt8>, _ count: Int) -> CInt {
    let data = unsafe Data(UnsafeBufferPointer(start: start, count: count))
    do {
        for (name, tensor) in try ONNXFile(data: data, path: "made up").weights() {
            precondition(tensor.count == tensor.shape.reduce(1, *), "\(name) is not of its shape")
        }
    } catch {
        precondition(error.description.hasPrefix("made up: "), "an error without a sentence")
    }
    return 0
}

/// Writes a seed where `AUTOQC_FUZZ_SEEDS` says: a file with two tensors and a string.
@_cdecl("LLVMFuzzerInitialize")
package func writeSeeds(
    _ count: UnsafeMutablePointer<CInt>,
    _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<UnsafeMutablePointer<CChar>>>
) -> CInt {
    guard let folder = ProcessInfo.processInfo.environment["AUTOQC_FUZZ_SEEDS"] else { return 0 }
    var message = MessageWriter()
    message.add(1, 8)
    message.add(2, "autoqc")
    message.add(7) { graph in
        for (name, shape) in [("a", [2, 1, 3, 2]), ("b", [3])] {
            graph.add(ONNXFile.initialiserField) {
                ONNXFile.write(Tensor(repeating: 0.5, shape: shape), name: name, to: &$0)
            }
        }
    }
    message.add(14) {
        $0.add(1, "key")
        $0.add(2, "word")
    }
    try? message.data.write(to: URL(filePath: folder).appending(path: "small"))
    return 0
}
