import Glibc
import Plate

/// A nameless file in memory, filled anew for every run.
private let file: Int32 = {
    let path = "/dev/shm/autoqc-fuzz-\(getpid())"
    let descriptor = unsafe open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else { fatalError("\(path) cannot be made: the fuzzer cannot work") }
    unsafe unlink(path)
    return descriptor
}()

/// One run of the fuzzer: the bytes become a file, which takes the way of every frame.
///
/// Compiled by `run.sh` into one module with the sources of Frames, so that the fuzzer sees its branches.
@_cdecl("LLVMFuzzerTestOneInput")
package func fuzzOne(_ start: UnsafePointer<UInt8>, _ count: Int) -> CInt {
    guard unsafe ftruncate(file, 0) == 0, unsafe pwrite(file, start, count, 0) == count else {
        fatalError("no memory for the file")
    }
    let path = "/proc/self/fd/\(file)"
    // Small enough that a run takes milliseconds, large enough for nearly every frame of the corpus.
    let limits = TIFFLimits(maximumPixels: 1 << 18, maximumPages: 64, maximumDecodedBytes: 1 << 21)
    var complaint: TIFFError?
    do { try TIFFStructure.check(path: path, limits: limits) } catch { complaint = error }
    precondition(complaint?.description.isEmpty != true, "an error without a sentence")
    do {
        let reader = try TIFFReader(path: path, limits: limits)
        for page in 0..<min(reader.pageCount, 4) {
            guard let frame = try? reader.frame(page: page) else { continue }
            precondition(frame.width * frame.height <= limits.maximumPixels, "a limit was overstepped")
            precondition(frame.pixels.allSatisfy { $0.isFinite }, "a value that is not a number")
        }
    } catch {
        precondition(complaint != nil, "a file passed as whole cannot be opened: \(error)")
    }
    return 0
}
