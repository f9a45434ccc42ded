import ArgumentParser
import Detection
import Digests
import Exporting
import Files
import Foundation
import Training

struct ModelCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "model",
        abstract: "Show or change the description in a model file.",
        subcommands: [ShowModelCommand.self, SetModelCommand.self]
    )
}

struct ShowModelCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show",
        abstract: "Print the description of a model file.",
        discussion: """
            Name, licence and authors, microscope, method and size, training, thresholds and their frames, \
            and the digest by which records name the model.

            Examples:
              autoqc model show model.safetensors
              autoqc model show model.safetensors --json
            """
    )

    @Argument(help: ArgumentHelp("The model file.", valueName: "FILE"), completion: .file())
    var model: String
    @Flag(help: "A page in Markdown.")
    var card = false
    @OptionGroup var output: JSONOptions

    func run() throws {
        try output.check()
        let facts = try ModelFacts(path: model)
        guard !card else { return try StandardStreams.write(facts.card) }
        try output.say(facts.lines)
        try output.write(facts)
    }
}

struct SetModelCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "set",
        abstract: "Store name, licence, authors and microscope in a model file.",
        discussion: """
            Other entries stay as they are, and so do weights and thresholds. An empty text removes an \
            entry. The file is a new one afterwards: records name the model by another digest.

            Examples:
              autoqc model set mine.safetensors --name "Neutrophils, 10x" --licence MIT
              autoqc model set mine.safetensors --microscope ComplexEye \\
                  --objective 10x/0.3 --pixel-size 0.7
            """
    )

    @Argument(help: ArgumentHelp("The model file.", valueName: "FILE"), completion: .file())
    var model: String
    @Option(help: ArgumentHelp("A name for people.", valueName: "TEXT"))
    var name: String?
    @Option(
        help: ArgumentHelp(
            "The licence of the weights, as SPDX writes it, for example MIT or CC-BY-4.0.",
            valueName: "SPDX"
        )
    )
    var licence: String?
    @Option(
        name: .customLong("author"),
        help: ArgumentHelp("Who made it; again for each person.", valueName: "NAME")
    )
    var authors: [String] = []
    @Option(help: ArgumentHelp("The microscope whose frames it is for.", valueName: "TEXT"))
    var microscope: String?
    @Option(help: ArgumentHelp("The objective, for example 10x/0.3.", valueName: "TEXT"))
    var objective: String?
    @Option(
        help: ArgumentHelp("Side of a pixel in um.", valueName: "UM"),
        transform: NumberOption.within(1e-4...1e4)
    )
    var pixelSize: Double?
    @Option(
        name: .long,
        parsing: .upToNextOption,
        help: ArgumentHelp(
            "The frames that it was trained on, of a model whose training did not note them: files, folders, globs or CSV lists.",
            valueName: "PATH"
        ),
        completion: .file()
    )
    var trainedOn: [String] = []
    @Option(help: ArgumentHelp("Write the model here instead.", valueName: "FILE"), completion: .file())
    var out: String?

    func run() throws {
        try OutputFile.check(out ?? model)
        var (loaded, _) = try Model.read(path: model)
        var about = loaded.description.about ?? ModelAbout()
        func put(_ word: String?, _ field: WritableKeyPath<ModelAbout, String?>) {
            if let word { about[keyPath: field] = word.isEmpty ? nil : word }
        }
        put(name, \.name)
        put(licence, \.licence)
        put(microscope, \.microscope)
        put(objective, \.objective)
        if !authors.isEmpty { about.authors = authors.filter { !$0.isEmpty } }
        if let pixelSize { about.pixelSize = pixelSize }
        loaded.description.about = about == ModelAbout() ? nil : about
        if !trainedOn.isEmpty {
            let paths = try FramePaths.normal(trainedOn, note: Terminal.note)
            guard let files = FilesDigest(of: paths) else {
                throw DataError(
                    "\(trainedOn.joined(separator: ", ")): not all files can be read; check their permissions"
                )
            }
            loaded.description.training.files = files
        }
        try loaded.write(path: out ?? model)
        Terminal.note("wrote \(out ?? model)")
    }
}

extension ModelFacts {
    /// The facts of a model file.
    init(path: String) throws {
        let (model, _) = try Model.read(path: path)
        try self.init(model, path: path)
    }

    /// The same of a model that was read from there.
    init(_ model: Model, path: String) throws {
        let data = try Data(contentsOf: URL(filePath: path))
        self.init(model, sha256: Digest.sha256(data), bytes: data.count)
    }
}
