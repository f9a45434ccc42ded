package import Plate

/// Somebody who is told of events, and the way there.
package struct NotificationTarget: Sendable, Equatable {
    /// How a receiver is reached.
    package enum Way: Sendable, Equatable {
        /// By HTTP, after Standard Webhooks 1.0.0.
        case webhook(Webhook)
        /// By mail.
        case mail(Mail)
        /// By an MQTT broker.
        case mqtt(MQTT)
        /// By a program of one's own with its arguments: it gets the event as JSON on standard input.
        case command([String])
    }

    /// A web address that takes events.
    package struct Webhook: Sendable, Equatable {
        /// `http` or `https`.
        package let url: String
        /// File of the secrets that sign, a line each, `whsec_` and base64; `nil` for no signature.
        package let secret: String?
        /// File of the token that is sent as `Authorization: Bearer`; `nil` for none.
        package let token: String?

        /// Gathers the three.
        package init(url: String, secret: String? = nil, token: String? = nil) {
            (self.url, self.secret, self.token) = (url, secret, token)
        }
    }

    /// People with a mailbox.
    package struct Mail: Sendable, Equatable {
        /// Their addresses.
        package let to: [String]
        /// The sender's address.
        package let from: String
        /// What takes the mail, as `sendmail -t` does.
        package let program: String
        /// A mail server, `smtp://HOST:PORT` or `smtps://`, in place of the program; `nil` for none.
        package let smtp: Login?

        /// Gathers the four.
        package init(to: [String], from: String, program: String, smtp: Login?) {
            (self.to, self.from, self.program, self.smtp) = (to, from, program, smtp)
        }
    }

    /// A server, and who we are there.
    package struct Login: Sendable, Equatable {
        /// Its address.
        package let server: String
        /// Name of the user; `nil` for none.
        package let user: String?
        /// File of the password; `nil` for none.
        package let password: String?

        /// Gathers the three.
        package init(server: String, user: String? = nil, password: String? = nil) {
            (self.server, self.user, self.password) = (server, user, password)
        }
    }

    /// A topic of a broker.
    package struct MQTT: Sendable, Equatable {
        /// The broker, a host or `HOST:PORT`.
        package let broker: Login
        /// Where events are published.
        package let topic: String
        /// Whether the connection is encrypted, with the system's certificates.
        package let tls: Bool

        /// Gathers the three.
        package init(broker: Login, topic: String, tls: Bool) {
            (self.broker, self.topic, self.tls) = (broker, topic, tls)
        }
    }

    /// By what its state and log lines are known; no other target has it.
    package let name: String
    /// How it is reached.
    package let way: Way
    /// What it is told of.
    package let events: Set<Event.Kind>

    /// Gathers the three.
    package init(name: String, way: Way, events: Set<Event.Kind> = Set(Event.Kind.allCases)) {
        (self.name, self.way, self.events) = (name, way, events)
    }

    /// The program that reaches it.
    package var program: String {
        switch way {
        case .webhook: "curl"
        case .mail(let mail): mail.smtp == nil ? mail.program : "curl"
        case .mqtt: "mosquitto_pub"
        case .command(let words): words.first ?? ""
        }
    }
}
