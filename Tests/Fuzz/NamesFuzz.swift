import Foundation
import Plate

/// Where to put seeds; asked once, before the first run.
private let seeds: Void = {
    guard let folder = ProcessInfo.processInfo.environment["AUTOQC_FUZZ_SEEDS"] else { return }
    for ready in ReadyPattern.all {
        for pattern in [ready.name, ready.pattern] {
            let text = "\(pattern)\n\(ready.example)"
            try? Data(text.utf8).write(to: URL(filePath: "\(folder)/\(text.stableHash)"))
        }
    }
}()

/// One run of the fuzzer: a pattern, a line break, and a path that it is compared with.
///
/// Compiled by `run.sh` into one module with the sources that read names, so that the fuzzer sees their branches.
@_cdecl("LLVMFuzzerTestOneInput")
package func fuzzOne(_ start: UnsafePointer<UInt8>, _ count: Int) -> CInt {
    _ = seeds
    let bytes = unsafe Array(UnsafeBufferPointer(start: start, count: count))
    let halves = bytes.split(separator: UInt8(ascii: "\n"), maxSplits: 1, omittingEmptySubsequences: false)
    guard halves.count == 2, let pattern = String(validating: halves[0], as: UTF8.self),
        let path = String(validating: halves[1], as: UTF8.self)
    else { return 0 }
    do {
        let pattern = try FramePattern(pattern)
        switch pattern.read(relativePath: path, rootName: "root") {
        case .frame(let frame):
            precondition(!frame.run.isEmpty && frame.run.utf8.first != UInt8(ascii: "."), "a run that hides")
            precondition(FrameView(frame.view.description) == frame.view, "a view that is not read again")
            precondition(frame.run.unicodeScalars.allSatisfy(isPrintable), "a run that cannot be shown")
        case .refused(let reason):
            precondition(reason.unicodeScalars.allSatisfy(isPrintable), "a reason that cannot be shown")
        case .ignored: break
        }
        _ = pattern.match(path: path)
    } catch {
        let isShown = error.description.unicodeScalars.allSatisfy(isPrintable)
        precondition(isShown, "a reason that cannot be shown")
    }
    return 0
}
