import Foundation
import Plate
import TestSupport
import Testing

/// The page beside a daemon that was started by hand, through the built program.
@Suite(.serialized) struct PageProcessTests {
    /// The port that the page was opened on last.
    private static func port(_ program: Program) -> Int? {
        let lines = program.said.split(separator: "\n").filter { $0.contains("The live page is open") }
        return lines.last.flatMap { $0.firstMatch(of: /address=http:\/\/127\.0\.0\.1:([0-9]+)\//) }
            .flatMap { Int($0.1) }
    }

    /// The processes that another one has started.
    private static func children(of process: Int32) -> [Int32] {
        let path = "/proc/\(process)/task"
        let tasks = (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []
        return tasks.flatMap { task in
            let text = try? String(contentsOfFile: "\(path)/\(task)/children", encoding: .utf8)
            return (text ?? "").split(separator: " ").compactMap { Int32($0) }
        }
    }

    private func withPage(
        _ plate: TestPlate,
        _ body: (_ program: Program, _ visitor: Visitor) async throws -> Void
    ) async throws {
        let program = try Program(plate.watchArguments + ["--listen", "127.0.0.1:0"], in: plate.folder)
        try await until("the page is open", by: program) { Self.port(program) != nil }
        try await body(program, Visitor(port: try #require(Self.port(program))))
        program.signal(SIGTERM)
        #expect(try await program.end() == 0)
    }

    private func answers(_ visitor: Visitor, _ path: String, _ is: (Visitor.Answer) -> Bool) async -> Bool {
        guard let answer = try? await visitor.get(path) else { return false }
        return `is`(answer)
    }

    private func wait(
        _ what: String,
        _ visitor: Visitor,
        _ path: String,
        _ isSo: (Visitor.Answer) -> Bool
    ) async throws {
        let deadline = ContinuousClock.now + longestWait
        while await !answers(visitor, path, isSo) {
            guard ContinuousClock.now < deadline else {
                throw Program.Failure(description: "in vain: \(what)")
            }
            try await Task.sleep(for: .milliseconds(50))
        }
    }

    @Test func thePageShowsADaemonThatItCannotEnd() async throws {
        try await withTemporaryFolder { folder in
            let plate = try TestPlate(in: folder)
            try await withPage(plate) { program, visitor in
                try plate.add("01_A1_f0.tiff", faulty: true)
                try await wait("the frame is on the page", visitor, "/metrics") {
                    $0.text.contains("autoqc_frames_judged_total{outcome=\"faulty\"} 1\n")
                        && $0.text.contains("autoqc_daemon_up 1\n")
                }
                let wish = "{\"well\":\"A1\",\"frame\":0,\"decision\":\"fault\"}"
                #expect(try await visitor.post("/api/v1/runs/01/decisions", wish).status == 201)
                let page = try #require(Self.children(of: program.identifier).first)
                kill(page, SIGKILL)
                try await until("the page is open again", by: program) {
                    program.said.components(separatedBy: "The live page is open").count == 3
                }
                let again = Visitor(port: try #require(Self.port(program)))
                try await wait("the daemon is on the page", again, "/healthz") { $0.status == 200 }
                try plate.add("01_A1_f1.tiff")
                try await until("the daemon judges on", by: program) { plate.counts()[.judged] == 2 }
            }
        }
    }

    @Test func aFrozenDaemonIsToldFromOutside() async throws {
        try await withTemporaryFolder { folder in
            let plate = try TestPlate(in: folder)
            try await withPage(plate) { program, visitor in
                try await wait("the daemon reports", visitor, "/healthz") { $0.status == 200 }
                program.signal(SIGSTOP)
                try await wait("its silence is told", visitor, "/healthz") {
                    $0.status == 503 && $0.text.hasPrefix("the daemon has not reported since 20")
                }
                #expect(try await visitor.get("/metrics").text.contains("autoqc_daemon_up 0\n"))
                program.signal(SIGCONT)
                try await wait("it reports again", visitor, "/healthz") { $0.status == 200 }
            }
        }
    }

    @Test func thePageSaysWhatTheDaemonWaitsForAndGoesWithIt() async throws {
        try await withTemporaryFolder { folder in
            let plate = try TestPlate(in: folder)
            try Data("in the way".utf8).write(to: plate.out)
            let program = try Program(plate.watchArguments + ["--listen", "127.0.0.1:0"], in: folder)
            try await until("the page is open", by: program) { Self.port(program) != nil }
            let visitor = Visitor(port: try #require(Self.port(program)))
            try await wait("it says what is in the way", visitor, "/healthz") {
                $0.status == 503 && $0.text.contains(": Cannot make the folder \"\(plate.out.path)\"")
            }
            #expect(try await visitor.get("/").status == 200)
            program.signal(SIGKILL)
            _ = try await program.end()
            try await until("the page ends with its daemon") {
                (try? Socket(port: visitor.port)) == nil
            }
        }
    }

    @Test func thePageIsThatOfTheConfiguration() async throws {
        try await withTemporaryFolder { folder in
            let plate = try TestPlate(in: folder)
            func view(_ web: String, _ environment: [String: String] = [:]) throws -> Program {
                let path = folder.appending(path: "plate.yaml").path
                let text = """
                    model: \(Program.model)
                    output: \(plate.out.path)
                    watch: [\(plate.watched.path)]
                    web: {\(web)}

                    """
                try Data(text.utf8).write(to: URL(filePath: path))
                return try Program(["view", "--config", path], in: folder, environment: environment)
            }
            let off = try view("listen: off")
            #expect(try await off.end() == 0)
            #expect(off.said.contains("`web.listen` is off"))
            for credential in ["", "none\n", "short"] {
                try Data(credential.utf8).write(to: folder.appending(path: "web.token"))
                let refused = try view(
                    "listen: \"0.0.0.0:0\", token: credential",
                    ["CREDENTIALS_DIRECTORY": folder.path]
                )
                #expect(try await refused.end() == 78, "no attempt mends that")
                #expect(refused.said.contains("the token is too easy to guess"))
            }
            try Data("0123456789abcdef\n".utf8).write(to: folder.appending(path: "web.token"))
            let open = try view(
                "listen: \"127.0.0.1:0\", token: credential",
                ["CREDENTIALS_DIRECTORY": folder.path]
            )
            try await until("the page is open", by: open) { Self.port(open) != nil }
            let visitor = Visitor(port: try #require(Self.port(open)))
            #expect(try await visitor.get("/").status == 401)
            let token = ["Authorization": "Bearer 0123456789abcdef"]
            #expect(try await visitor.get("/api/v1/runs", token).text == "[]", "there is no ledger yet")
            open.signal(SIGTERM)
            #expect(try await open.end() == 0)
        }
    }
}
