import Foundation
import Plate

/// One run of the fuzzer: sixteen bytes are two numbers and two moments, the rest is a number or a time as users write it.
///
/// Compiled by `run.sh` into one module with the sources that read numbers and times, so that the fuzzer sees their branches.
@_cdecl("LLVMFuzzerTestOneInput")
package func fuzzOne(_ start: UnsafePointer<UInt8>, _ count: Int) -> CInt {
    let bytes = unsafe Array(UnsafeBufferPointer(start: start, count: count))
    guard bytes.count >= 16 else { return 0 }
    let bits = (0..<2).map { half in
        bytes[half * 8..<half * 8 + 8].reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
    }
    numbers(bits.map { Double(bitPattern: $0) })
    numbers(bits.map { Double(Float(bitPattern: UInt32(truncatingIfNeeded: $0))) })
    moments(bits.map { Timestamp(nanoseconds: Int64(bitPattern: $0)) })
    text(String(decoding: bytes[16...], as: UTF8.self))
    return 0
}

private func numbers(_ values: [Double]) {
    for value in values {
        let whole = Int(saturating: value)
        precondition(
            value.isNaN ? whole == 0 : abs(value) > 1e15 || Double(whole) == value.rounded(.towardZero)
        )
        _ = (
            Int8(saturating: value), UInt8(saturating: value), UInt16(saturating: Float(value)),
            UInt64(saturating: value)
        )
        for digits in 0...6 { _ = value.fixed(digits) }
        _ = value.roundedToFourDigits
    }
    _ = Verdict(severity: values[0], threshold: values[1])
}

private func moments(_ moments: [Timestamp]) {
    let (first, second) = (moments[0], moments[1])
    let time = second - first
    precondition((time < .zero) == (second < first), "time that runs backwards")
    _ = (time.wholeNanoseconds, time.wholeMilliseconds)
    _ = first - time
    let (a, b) = (first.nanoseconds, second.nanoseconds)
    _ = (a.saturatingAdd(b), a.saturatingSubtract(b), a.saturatingMultiply(b))
    let text = first.iso8601
    precondition(text.unicodeScalars.allSatisfy(isPrintable), "a time that cannot be shown")
    if let read = Timestamp(iso8601: text) {
        precondition(read.iso8601 == text, "a time that is read as another")
    }
}

private func text(_ text: String) {
    if let time = Timestamp(iso8601: text) { _ = time.iso8601 }
    if let time = Duration(withUnit: text) {
        precondition(time >= .zero, "a time below 0")
        _ = time.withUnit()
    }
    let whole = try? NumberOption.within(1...1024)(text)
    precondition(whole.map((1...1024).contains) ?? true)
    let share = try? NumberOption.within(0...0.99)(text)
    precondition(share.map((0...0.99).contains) ?? true)
    let seed = try? NumberOption.within(0...UInt64.max)(text)
    _ = (seed, try? NumberOption.within(1e-12...10 as ClosedRange<Float>)(text))
    _ = (Well(text), FrameView(text))
}
