import Foundation
import Tensors

/// What the rest of an input is, as its first byte says.
private enum Kind: UInt8, CaseIterable {
    /// A whole file.
    case file
    /// A pickle, in an archive whose checksums are right.
    case pickle
    /// The header of a safetensors file whose length is right.
    case header
}

/// Bytes of tensors, behind a header and in the archive's storages.
private let numbers = (0..<64).flatMap { little(Float($0).bitPattern) }

/// Small enough that a run takes milliseconds.
private let limits = {
    var limits = CheckpointLimits()
    limits.maximumPickleBytes = 1 << 18
    limits.maximumStack = 1 << 14
    limits.maximumObjects = 1 << 14
    limits.maximumMemo = 1 << 14
    limits.maximumValues = 1 << 20
    limits.maximumStorageBytes = 1 << 22
    return limits
}()

private func file(of input: [UInt8]) -> [UInt8] {
    let content = Array(input.dropFirst())
    return switch input.first.flatMap({ Kind(rawValue: $0 % UInt8(Kind.allCases.count)) }) {
    case .pickle: TorchFile(pickle: content, storages: ["0": numbers, "1": Array(numbers.prefix(24))]).bytes
    case .header: little(UInt64(content.count)) + content + numbers
    case .file, nil: content
    }
}

/// One run of the fuzzer: the bytes become a checkpoint, which is read as `autoqc import` reads it.
///
/// Compiled by `run.sh` into one module with the sources of Checkpoints, so that the fuzzer sees its branches.
@_cdecl("LLVMFuzzerTestOneInput")
package func fuzzOne(_ start: UnsafePointer<UInt8>, _ count: Int) -> CInt {
    let bytes = file(of: unsafe Array(UnsafeBufferPointer(start: start, count: count)))
    do {
        let checkpoint = try Checkpoint(bytes: bytes, path: "made up", limits: limits)
        for (name, tensor) in checkpoint.tensors {
            precondition(tensor.count == tensor.shape.reduce(1, *), "\(name) is not of its shape")
        }
        for (name, value) in checkpoint.hyperParameters.values {
            if case .list(let members) = value { precondition(members.count <= 64, "\(name) is too long") }
        }
    } catch {
        precondition(error.description.hasPrefix("made up: "), "an error without a sentence")
    }
    return 0
}

/// Writes the seeds where `AUTOQC_FUZZ_SEEDS` says: of each kind a checkpoint of two tensors.
@_cdecl("LLVMFuzzerInitialize")
package func writeSeeds(
    _ count: UnsafeMutablePointer<CInt>,
    _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<UnsafeMutablePointer<CChar>>>
) -> CInt {
    guard let folder = ProcessInfo.processInfo.environment["AUTOQC_FUZZ_SEEDS"] else { return 0 }
    let storage = Pickle.storage("0", count: 64)
    let state = Pickle.dictionary([
        ("a", Pickle.tensor(storage, shape: [8, 4], strides: [1, 8])),
        (
            "b",
            Pickle.tensor(
                Pickle.storage("1", type: "ShortStorage", count: 12),
                offset: 2,
                shape: [5],
                strides: [2]
            )
        ),
    ])
    let list = Pickle.configuration(
        "listconfig.ListConfig",
        [("_content", Pickle.list([Pickle.node(Pickle.integer(1))]))]
    )
    let settings = Pickle.dictionary([
        ("name", Pickle.node(Pickle.text("DDPM"))), ("lr", Pickle.node(Pickle.real(0.5))),
        ("dim_mults", list),
        ("element_type", Pickle.global("__builtin__", "long")),
    ])
    let configuration = Pickle.configuration("dictconfig.DictConfig", [("_content", settings)])
    let lightning = Pickle.dictionary([
        ("epoch", Pickle.integer(1)), ("state_dict", state),
        ("hyper_parameters", Pickle.dictionary([("cfg", configuration)])),
    ])
    let header =
        #"{"__metadata__":{"k":"v"},"a":{"dtype":"F32","shape":[4,8],"data_offsets":[0,128]},"#
        + #""b":{"dtype":"BF16","shape":[64],"data_offsets":[128,256]}}"#
    let pickles = [state, lightning].map(Pickle.whole)
    let seeds: [(Kind, [UInt8])] =
        pickles.map { (.pickle, $0) } + pickles.map { (.file, file(of: [Kind.pickle.rawValue] + $0)) }
        + [(.header, Array(header.utf8)), (.file, file(of: [Kind.header.rawValue] + Array(header.utf8)))]
    for (index, (kind, content)) in seeds.enumerated() {
        let path = URL(filePath: folder).appending(path: "made-\(index)")
        do { try Data([kind.rawValue] + content).write(to: path) } catch {
            fatalError("\(path.path): \(error)")
        }
    }
    return 0
}
