import COneDNN
import COpenBLAS

/// What computes here.
package enum Machine {
    /// The version of oneDNN that is loaded, for example `2.6.3`.
    package static var oneDNN: String {
        var (major, minor, patch): (Int32, Int32, Int32) = (0, 0, 0)
        unsafe aqc_onednn_version(&major, &minor, &patch)
        return "\(major).\(minor).\(patch)"
    }

    /// What OpenBLAS says of itself: version and the CPU it chose its kernels for.
    package static var openBLAS: String {
        unsafe String(cString: openblas_get_config()).split(separator: " ").joined(separator: " ")
    }
}
