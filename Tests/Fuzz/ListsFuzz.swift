import Foundation

/// One run of the fuzzer: the bytes are a list, which is read, written and read again.
///
/// Compiled by `run.sh` into one module with the reader's sources, so that the fuzzer sees their branches.
@_cdecl("LLVMFuzzerTestOneInput")
package func fuzzOne(_ start: UnsafePointer<UInt8>, _ count: Int) -> CInt {
    let table = unsafe CSVTable(UnsafeBufferPointer(start: start, count: count))
    let hasPlaces = table.rows.allSatisfy { !$0.fields.isEmpty && $0.line <= count + 1 }
    precondition(hasPlaces, "a row without a place")
    _ = table.column("img_path")
    let rows = [table.header] + table.rows.map(\.fields)
    let again = CSVTable(CSV.text(rows).utf8, separator: .comma)
    // Text with NULs may look like UTF-16 when it is read again.
    guard !rows.joined().contains(where: { $0.utf8.contains(0) }) else { return 0 }
    let bytes = { (rows: [[String]]) in rows.map { $0.map { Array($0.utf8) } } }
    // A first row that names a separator, or is empty, is no row.
    guard !table.header.isEmpty, table.header != [""], table.header[0].utf8.first != UInt8(ascii: "s"),
        table.header[0].utf8.first != UInt8(ascii: "S")
    else { return 0 }
    let read = [again.header] + again.rows.map(\.fields)
    precondition(bytes(read) == bytes(rows), "what was written is not what is read")
    return 0
}
