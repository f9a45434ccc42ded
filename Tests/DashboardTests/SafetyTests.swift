import Foundation
import Ledger
import Logging
import Plate
import Reporting
import Synchronization
import TestSupport
import Testing

@testable import Dashboard

@Suite struct SafetyTests {
    @Test func thePageLoadsNothingFromOutsideAndRunsNothingInline() async throws {
        try await OpenPage.with { page in
            let answer = try await page.visitor.get("/")
            let policy = try #require(answer.headers["content-security-policy"])
            #expect(policy.contains("default-src 'none'") && !policy.contains("unsafe"))
            #expect(answer.headers["x-content-type-options"] == "nosniff")
            let html = answer.text
            #expect(!html.contains(" style=") && !html.contains("<style") && !html.contains(" onclick="))
            #expect(
                html.components(separatedBy: "<script").count == 2
                    && html.contains("src=\"page.js\"></script>")
            )
            for path in ["/", "/page.css", "/page.js", "/plate.js", "/well.js", "/frame.js"] {
                let text = try await page.visitor.get(path).text
                #expect(
                    !text.contains("https://")
                        && !text.replacing("http://www.w3.org/", with: "").contains("http://"),
                    "\(path)"
                )
            }
        }
    }

    @Test func noAddressReachesAFileOutsideTheRun() async throws {
        try await OpenPage.with { page in
            try Data("secret".utf8).write(to: page.folder.appending(path: "secret"))
            try page.add("A1", frame: 0)
            for path in [
                "/../secret", "/..%2fsecret", "/api/v1/runs/..%2F..%2Fsecret", "/page.css/../../secret",
                "/api/v1/runs/01/wells/A01/frames/0/..%2f..%2fsecret",
                "/api/v1/runs/%2e%2e/wells/A01/frames/0/mask.tiff",
                "/api/v1/runs/01/wells/../../secret/frames/0/frame.tiff",
            ] {
                let answer = try await page.visitor.get(path)
                #expect(
                    !answer.text.contains("secret") || answer.status >= 400
                        || answer.text.contains("\"wells\":[]"),
                    "\(path)"
                )
                #expect(answer.text != "secret", "\(path)")
            }
            #expect(try await page.visitor.get("/api/v1/runs/01/wells/A01/frames/0/frame.tiff").status == 200)
        }
    }

    @Test func namesFromDiskStayNames() async throws {
        let name = "<img src=x onerror=alert(1)>\"'&"
        try await OpenPage.with { page in
            try page.add("A1", frame: 0, run: name)
            let runs = try await page.visitor.get("/api/v1/runs")
            #expect(runs.headers["content-type"] == "application/json; charset=utf-8")
            let allowed = CharacterSet.alphanumerics
            let encoded = try #require(name.addingPercentEncoding(withAllowedCharacters: allowed))
            let plate = try await page.visitor.get("/api/v1/runs/\(encoded)").json()
            #expect(plate["run"] as? String == name)
            #expect((plate["wells"] as? [Any])?.count == 1)
            #expect(
                try await page.visitor.get("/metrics").text.contains(
                    "run=\"<img src=x onerror=alert(1)>\\\"'&\""
                )
            )
        }
    }

    @Test func withATokenNothingIsToldWithoutIt() async throws {
        let token = "0123456789abcdef"
        try await OpenPage.with(token: token) { page in
            let visitor = page.visitor
            for path in ["/", "/api/v1/runs", "/metrics"] {
                #expect(try await visitor.get(path).status == 401, "\(path)")
            }
            #expect(try await visitor.get("/?token=0123456789abcdeX").status == 401)
            #expect(try await visitor.get("/healthz").status == 200)
            #expect(try await visitor.get("/api/v1/runs", ["Authorization": "Bearer \(token)"]).status == 200)
            let entrance = try await visitor.get("/?token=\(token)")
            #expect(entrance.status == 303 && entrance.headers["location"] == "/")
            let cookie = try #require(entrance.headers["set-cookie"]?.split(separator: ";").first)
            #expect(try await visitor.get("/", ["Cookie": String(cookie)]).status == 200)
            #expect(try await visitor.get("/", ["Cookie": "autoqc=wrong"]).status == 401)
        }
    }

    @Test func anotherSiteCannotAskThroughTheVisitorsBrowser() async throws {
        try await OpenPage.with { page in
            try page.add("A1", frame: 0)
            #expect(try await page.visitor.get("/api/v1/runs", ["Host": "evil.example"]).status == 403)
            let wish = "{\"well\":\"A01\",\"frame\":0,\"decision\":\"fault\"}"
            let path = "/api/v1/runs/01/decisions"
            #expect(try await page.visitor.post(path, wish, ["Origin": "http://evil.example"]).status == 403)
            #expect(try await page.visitor.post(path, wish, ["Content-Type": "text/plain"]).status == 403)
            #expect(try page.decisions().isEmpty)
        }
    }

    @Test(.timeLimit(.minutes(10))) func aVisitorWhoDoesNotReadDoesNotKeepThePageFromItsEnd() async throws {
        let connection = Mutex<Socket?>(nil)
        try await OpenPage.with { page in
            let socket = try Socket(port: page.visitor.port)
            // More answers than any buffer holds.
            let request = "GET /page.js HTTP/1.1\r\nHost: 127.0.0.1:\(page.visitor.port)\r\n\r\n"
            try socket.send(String(repeating: request, count: 3000))
            #expect(try await page.visitor.get("/healthz").status == 200)
            connection.withLock { $0 = socket }
        }
    }

    @Test func otherAddressesThanLoopbackNeedAToken() throws {
        #expect(throws: WebSettingsError.self) { try WebSettings(listen: "0.0.0.0:8764") }
        #expect(throws: WebSettingsError.self) { try WebSettings(listen: "127.0.0.1.example.org:80") }
        #expect(throws: WebSettingsError.self) { try WebSettings(listen: "0.0.0.0:8764", token: "short") }
        #expect(try WebSettings(listen: "0.0.0.0:8764", token: "0123456789abcdef").port == 8764)
        #expect(try WebSettings(listen: "[::1]:80").isLoopback)
        #expect(try WebSettings(listen: "8764").host == "127.0.0.1")
        #expect(throws: WebSettingsError.self) { try WebSettings(listen: "localhost:") }
    }
}
