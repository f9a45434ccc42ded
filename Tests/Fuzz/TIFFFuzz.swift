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
/// Bytes that begin with one of `I`, `<`, `{` and `M`, but not as a TIFF file does, become the metadata of a small stack: ImageJ's
/// description, OME-XML, Micro-Manager's text or MetaMorph's tags. Compiled by `run.sh` into one module with the sources of
/// Frames, so that the fuzzer sees its branches.
@_cdecl("LLVMFuzzerTestOneInput")
package func fuzzOne(_ start: UnsafePointer<UInt8>, _ count: Int) -> CInt {
    let input = unsafe Array(UnsafeBufferPointer(start: start, count: count))
    let bytes = SmallStack.tag(for: input).map { SmallStack.file(tag: $0, values: input) } ?? input
    let isFilled = unsafe bytes.withUnsafeBytes { buffer in
        unsafe ftruncate(file, 0) == 0 && pwrite(file, buffer.baseAddress, bytes.count, 0) == bytes.count
    }
    guard isFilled else { fatalError("no memory for the file") }
    let path = "/proc/self/fd/\(file)"
    // Small enough that a run takes milliseconds, large enough for nearly every frame of the corpus.
    let limits = TIFFLimits(maximumPixels: 1 << 18, maximumPages: 64, maximumDecodedBytes: 1 << 21)
    // Channel and z-plane differ from input to input.
    let planes: [PlaneChoice.Plane] = [.middle, .time, .number(1), .number(2)]
    let choice = PlaneChoice(channel: count % 3 == 0 ? "2" : nil, plane: planes[count % 4])
    var complaint: TIFFError?
    do { try TIFFStructure.check(path: path, limits: limits, choice: choice) } catch { complaint = error }
    precondition(complaint?.description.isEmpty != true, "an error without a sentence")
    do {
        let reader = try TIFFReader(path: path, limits: limits, choice: choice)
        precondition(reader.frames.allSatisfy { 0..<reader.pageCount ~= $0.page && $0.time >= 0 })
        precondition(Set(reader.frames.map(\.page)).count == reader.frames.count, "a page is two frames")
        for point in reader.frames.prefix(4) {
            _ = try? reader.digest(page: point.page)
            guard let frame = try? reader.frame(page: point.page) else { continue }
            precondition(frame.width * frame.height <= limits.maximumPixels, "a limit was overstepped")
            precondition(frame.pixels.allSatisfy { $0.isFinite }, "a value that is not a number")
        }
    } catch {
        precondition(complaint != nil, "a file passed as whole cannot be opened: \(error)")
    }
    return 0
}

/// A TIFF file of three pages of 4 x 4 pixels, the other two behind the first, or of one page and room for two more.
private enum SmallStack {
    /// The tag whose value an input is.
    static func tag(for input: [UInt8]) -> UInt16? {
        guard input.count >= 2, input[0] != input[1] else { return nil }
        switch input[0] {
        case UInt8(ascii: "I"), UInt8(ascii: "<"): return 270
        case UInt8(ascii: "{"): return input.starts(with: Array("{\"s".utf8)) ? 270 : 51123
        case UInt8(ascii: "M"): return 33629
        default: return nil
        }
    }

    static func file(tag: UInt16, values: [UInt8]) -> [UInt8] {
        let pages = values.count % 2 == 0 ? 3 : 1
        var file: [UInt8] = [0x49, 0x49, 42, 0]
        let pixels = 8 + values.count + values.count % 2
        file += number(pixels + 48, 4) + values + [UInt8](repeating: 0, count: values.count % 2)
        for page in 1...3 { file += [UInt8](repeating: UInt8(page), count: 16) }
        for page in 0..<pages {
            let isMetaMorph = tag == 33629
            // 24 bytes a plane, which the type says to be 8.
            let count = isMetaMorph ? values.count / 24 : values.count
            let entries = [
                entry(256, 4, 1, 4), entry(257, 4, 1, 4), entry(258, 3, 1, 8), entry(259, 3, 1, 1),
                entry(262, 3, 1, 1), entry(273, 4, 1, pixels + 16 * page), entry(277, 3, 1, 1),
                entry(279, 4, 1, 16), entry(Int(tag), isMetaMorph ? 5 : 2, count, 8),
            ]
            file += number(entries.count, 2) + entries.joined()
            file += number(page + 1 < pages ? file.count + 4 : 0, 4)
        }
        return file
    }

    private static func entry(_ tag: Int, _ type: Int, _ count: Int, _ value: Int) -> [UInt8] {
        number(tag, 2) + number(type, 2) + number(count, 4) + number(value, 4)
    }

    private static func number(_ value: Int, _ size: Int) -> [UInt8] {
        (0..<size).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
    }
}
