import Files
import Foundation
import HTTPTypes
import Hummingbird
import Ledger
import Reporting

/// Who is answered, and what every answer tells the browser to refuse.
///
/// With a token, a request brings it as `Authorization: Bearer`, or as the cookie that `/?token=...` leaves. Without one
/// only loopback is listened on, and a page of another site must not get answers through the visitor's browser: the
/// name asked for has to be this machine's, and what changes something has to come from the page itself.
struct Access: RouterMiddleware {
    typealias Context = PageContext

    private static let cookie = "autoqc"
    /// Asked without a token by whatever restarts a daemon that hangs; tells nothing else.
    private static let openPath = "/healthz"

    let settings: WebSettings

    func handle(
        _ request: Request,
        context: Context,
        next: (Request, Context) async throws -> Response
    ) async throws -> Response {
        var response: Response
        do {
            response = try await answer(request, context: context, next: next)
        } catch let error as HTTPError {
            // One shape for every mistake.
            response = .problem(error.status, error.body ?? "there is nothing at this address")
        } catch is Worker.Busy {
            response = .problem(.serviceUnavailable, "more is asked for than is answered; try again")
        } catch let error as LedgerError {
            response = .problem(.serviceUnavailable, "\(error)")
        } catch let error as OutputError {
            response = .problem(.serviceUnavailable, "\(error)")
        }
        Self.protect(&response)
        return response
    }

    private func answer(
        _ request: Request,
        context: Context,
        next: (Request, Context) async throws -> Response
    ) async throws -> Response {
        if request.uri.path == Self.openPath { return try await next(request, context) }
        if let token = settings.token {
            if let given = request.uri.queryParameters.get("token") {
                guard Self.areEqual(given, token) else { return refusal }
                return entrance(to: request.uri.path, token)
            }
            guard Self.brings(token, request) else { return refusal }
        } else if !Self.isNamedLoopback(request) {
            return .problem(
                .forbidden,
                "this page answers to 127.0.0.1 and localhost only; set web.token for others"
            )
        }
        guard request.method == .get || request.method == .head || Self.isFromPage(request) else {
            return .problem(
                .forbidden,
                "send application/json, and from this page or from a program: other sites change nothing"
            )
        }
        return try await next(request, context)
    }

    private var refusal: Response {
        .problem(
            .unauthorized,
            "bring the token of the configuration: open /?token=TOKEN once, or send it as Bearer"
        )
    }

    /// Takes the token out of the address, where it would be seen over a shoulder, and into a cookie.
    private func entrance(to path: String, _ token: String) -> Response {
        Response(
            status: .seeOther,
            headers: [
                .location: path.hasPrefix("/") && !path.hasPrefix("//") ? path : "/",
                .setCookie: "\(Self.cookie)=\(token); Path=/; HttpOnly; SameSite=Lax; Max-Age=31536000",
            ]
        )
    }

    private static func brings(_ token: String, _ request: Request) -> Bool {
        if let header = request.headers[.authorization] { return areEqual(header, "Bearer \(token)") }
        let cookies = (request.headers[.cookie] ?? "").split(separator: ";").map { $0.drop { $0 == " " } }
        return cookies.contains { areEqual(String($0), "\(cookie)=\(token)") }
    }

    /// Takes as long for a token that is nearly right as for one that is all wrong.
    private static func areEqual(_ left: String, _ right: String) -> Bool {
        let (left, right) = (Array(left.utf8), Array(right.utf8))
        guard left.count == right.count else { return false }
        return zip(left, right).reduce(0) { $0 | ($1.0 ^ $1.1) } == 0
    }

    /// A name that another site made point at this machine is not one of its own.
    private static func isNamedLoopback(_ request: Request) -> Bool {
        guard let authority = request.head.authority else { return false }
        return WebSettings.isLoopback(host(of: authority))
    }

    private static func host(of authority: String) -> String {
        if authority.hasPrefix("[") { return String(authority.dropFirst().prefix { $0 != "]" }) }
        return String(authority.prefix { $0 != ":" })
    }

    /// Browsers say where a request that changes something comes from; programs say nothing.
    private static func isFromPage(_ request: Request) -> Bool {
        guard request.headers[.contentType]?.hasPrefix("application/json") == true else { return false }
        guard let origin = request.headers[.origin] else { return true }
        guard let authority = request.head.authority else { return false }
        return origin == "http://\(authority)" || origin == "https://\(authority)"
    }

    private static let policy = """
        default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; \
        base-uri 'none'; form-action 'none'; frame-ancestors 'none'
        """

    private static func protect(_ response: inout Response) {
        response.headers[.contentSecurityPolicy] = policy
        response.headers[.xContentTypeOptions] = "nosniff"
        if let name = HTTPField.Name("Referrer-Policy") { response.headers[name] = "no-referrer" }
        if let name = HTTPField.Name("X-Frame-Options") { response.headers[name] = "DENY" }
        if response.headers[.cacheControl] == nil { response.headers[.cacheControl] = "no-store" }
    }
}

extension Response {
    /// Says in JSON why there is no answer.
    static func problem(_ status: HTTPResponse.Status, _ sentence: String) -> Response {
        let data = (try? Answer.encode(Answer.Problem(error: sentence))) ?? Data()
        return Response(status: status, type: "application/json; charset=utf-8", bytes: data)
    }

    init(status: HTTPResponse.Status = .ok, type: String, bytes: some Sequence<UInt8>) {
        self.init(
            status: status,
            headers: [.contentType: type],
            body: ResponseBody(byteBuffer: ByteBuffer(bytes: bytes))
        )
    }
}
