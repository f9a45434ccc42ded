/// The file `OUT/RUN/STOP-ADVISED`, there while so much of a run is faulty that it had better be stopped.
///
/// One line of UTF-8 says when and why. Acquisition software may look for the file; autoqc stops nothing.
package struct StopAdvice: Sendable {
    private let path: String
    private let folder: String

    /// The advice on one run.
    package init(tree: OutputTree, run: String) {
        path = tree.stopAdvice(run: run)
        folder = tree.folder(run: run)
    }

    /// Leaves the file, durable when this returns.
    package func give(_ sentence: String) throws(OutputError) {
        try Durable.makeFolders(folder)
        try Durable.replace(path) { temporary throws(OutputError) in
            try Durable.write(bytes: Array((sentence + "\n").utf8), to: temporary)
        }
    }

    /// Removes the file; none there is as good.
    package func withdraw() throws(OutputError) {
        try Durable.remove(path)
    }
}
