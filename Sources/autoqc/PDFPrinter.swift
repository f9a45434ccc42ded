import Files
import Foundation
import Systemd
import Training

/// Turns a page into a PDF with a browser that is installed.
struct PDFPrinter {
    /// Browsers that can, by what their programs are called.
    private static let names = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"]
    private static let patience = Duration.seconds(300)

    private let browser: String

    /// Looks for a browser; throws where there is none.
    init() throws {
        guard let found = Self.names.first(where: { ChildProgram.file(of: $0) != nil }) else {
            throw DataError(
                "--pdf needs Chromium or Chrome; install one (`apt install chromium`), or print the file of --html from any browser"
            )
        }
        browser = found
    }

    /// Writes a page as a PDF to a file that a user names.
    func write(_ html: String, to path: String) throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "autoqc-\(UUID().uuidString)")
        try OutputFolderPath.make(folder.path)
        defer { try? FileManager.default.removeItem(at: folder) }
        let (page, pdf) = (folder.appending(path: "review.html"), folder.appending(path: "review.pdf"))
        try OutputFile.write(text: html, to: page.path)
        let words =
            [
                browser, "--headless=new", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
                "--disable-extensions", "--no-pdf-header-footer",
                "--user-data-dir=\(folder.appending(path: "profile").path)", "--print-to-pdf=\(pdf.path)",
                // Chromium refuses to sandbox pages of root. This one has no script and loads nothing.
            ] + (geteuid() == 0 ? ["--no-sandbox"] : []) + ["file://\(page.path)"]
        let result = try ChildProgram(words: words).run(within: Self.patience)
        guard result.status == 0, let bytes = FileManager.default.contents(atPath: pdf.path), !bytes.isEmpty
        else {
            let reason =
                result.isTimedOut
                ? "it took longer than 5 minutes"
                : result.errors.split(separator: "\n").last.map(String.init) ?? ""
            throw DataError(
                "\(path): \(browser) made no PDF (status \(result.status)\(reason.isEmpty ? "" : ", \(reason)")); print the file of "
                    + "--html from a browser"
            )
        }
        try OutputFile.write(bytes, to: path)
    }
}
