import COneDNN
import COpenBLAS
import Dispatch
import Synchronization

/// What the numbers are computed with: the CPU engine of oneDNN, and the threads that all kernels share.
package enum Compute {
    /// Sets the number of threads of oneDNN and the package's own kernels together.
    package static func setThreads(_ count: Int) {
        precondition(count > 0, "at least one thread")
        omp_set_num_threads(Int32(count))
    }

    /// A lane for computations beside others: oneDNN's primitives and their scratch memory for it alone, one thread.
    ///
    /// Frames in parallel, each on a lane, keep every core busy without one ever waiting for another. A lane runs one
    /// computation at a time.
    package final class Lane: Sendable {
        private let engine = ComputeEngine()

        /// Makes a lane; plans are made when they are first needed.
        package init() {}

        /// Runs a computation on this lane, on the calling thread alone.
        package func run<Result>(_ body: () throws -> Result) rethrows -> Result {
            let before = aqc_max_threads()
            omp_set_num_threads(1)
            defer { omp_set_num_threads(before) }
            return try ComputeEngine.$current.withValue(engine, operation: body)
        }
    }

    /// The results of a computation for each of some indices, in order; on as many threads at once as kernels may use.
    package static func concurrentMap<Result: Sendable>(
        _ count: Int,
        _ body: @Sendable (Int) -> Result
    ) -> [Result] {
        let workers = max(min(threads, count), 1)
        let results = Mutex<[Result?]>(Array(repeating: nil, count: count))
        let next = Atomic(0)
        DispatchQueue.concurrentPerform(iterations: workers) { _ in
            while true {
                let index = next.add(1, ordering: .relaxed).oldValue
                guard index < count else { return }
                let result = body(index)
                results.withLock { $0[index] = result }
            }
        }
        return results.withLock { $0.compactMap { $0 } }
    }

    /// Threads of the kernels that the calling thread runs.
    package static var threads: Int { Int(aqc_max_threads()) }

    /// The versions of the libraries behind the kernels, for reports.
    package static var libraries: String {
        guard let version = unsafe dnnl_version() else { return "oneDNN" }
        let v = unsafe version.pointee
        return unsafe "oneDNN \(v.major).\(v.minor).\(v.patch)"
    }
}

/// oneDNN's CPU engine and its one stream, with the plans made on it.
///
/// Primitives keep their scratch memory to themselves, so they run one at a time: under the lock.
final class ComputeEngine: Sendable {
    /// The engine of the lane, or the one that computations outside lanes share.
    @TaskLocal static var current = ComputeEngine()

    @safe struct Handles: @unchecked Sendable {  // used only under the lock below
        let engine: dnnl_engine_t
        let stream: dnnl_stream_t
        var plans: [ConvolutionPlan.Key: ConvolutionPlan] = [:]
    }

    private let handles: Mutex<Handles>

    init() {
        var engine: dnnl_engine_t?
        var stream: dnnl_stream_t?
        unsafe dnnl_engine_create(&engine, dnnl_cpu, 0)
        unsafe dnnl_stream_create(&stream, engine, UInt32(dnnl_stream_default_flags.rawValue))
        guard let engine = unsafe engine, let stream = unsafe stream else {
            // A library that cannot make its default CPU engine is a broken installation; nothing can go on.
            fatalError("oneDNN has no CPU engine on this machine")
        }
        self.handles = unsafe Mutex(Handles(engine: engine, stream: stream))
    }

    deinit {
        handles.withLock { handles in
            handles.plans = [:]
            unsafe dnnl_stream_destroy(handles.stream)
            unsafe dnnl_engine_destroy(handles.engine)
        }
    }

    func withHandles<Result: Sendable>(_ body: (inout Handles) -> Result) -> Result {
        handles.withLock { body(&$0) }
    }
}

/// What computes here.
package enum Machine {
    /// The version of oneDNN that is loaded, for example `2.6.3`.
    package static var oneDNN: String {
        var (major, minor, patch): (Int32, Int32, Int32) = (0, 0, 0)
        unsafe aqc_onednn_version(&major, &minor, &patch)
        return "\(major).\(minor).\(patch)"
    }

    /// Version of OpenBLAS and the CPU that it chose its kernels for.
    package static var openBLAS: String {
        unsafe String(cString: openblas_get_config()).split(separator: " ").joined(separator: " ")
    }
}
