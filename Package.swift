// swift-tools-version: 6.2
import PackageDescription

let strict: [SwiftSetting] = [
    .swiftLanguageMode(.v6), .strictMemorySafety(),
    .enableUpcomingFeature("ExistentialAny"), .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("InternalImportsByDefault"),
]

let argumentParser = Target.Dependency.product(name: "ArgumentParser", package: "swift-argument-parser")
let logging = Target.Dependency.product(name: "Logging", package: "swift-log")
let lifecycle = Target.Dependency.product(name: "ServiceLifecycle", package: "swift-service-lifecycle")
let yams = Target.Dependency.product(name: "Yams", package: "Yams")
let hummingbird = Target.Dependency.product(name: "Hummingbird", package: "hummingbird")
let nio = Target.Dependency.product(name: "NIOCore", package: "swift-nio")
let nioHTTPTypes = Target.Dependency.product(name: "NIOHTTPTypes", package: "swift-nio-extras")
let httpTypes = Target.Dependency.product(name: "HTTPTypes", package: "swift-http-types")
let grdb = Target.Dependency.product(name: "GRDB", package: "GRDB.swift")

let package = Package(
    name: "autoqc",
    products: [.executable(name: "autoqc", targets: ["autoqc"])],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
        .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
        .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
        .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.0", traits: []),
        .package(url: "https://github.com/apple/swift-http-types", from: "1.7.0"),
        .package(url: "https://github.com/apple/swift-nio.git", from: "2.101.0"),
        .package(url: "https://github.com/apple/swift-nio-extras.git", from: "1.34.1"),
    ],
    targets: [
        // C: one door each. Debian 12 has no .pc file for oneDNN and libinotifytools.
        .systemLibrary(name: "CInotifyTools", providers: [.apt(["libinotifytools0-dev"])]),
        .systemLibrary(name: "CTIFF", pkgConfig: "libtiff-4", providers: [.apt(["libtiff-dev"])]),
        .systemLibrary(name: "CPNG", pkgConfig: "libpng", providers: [.apt(["libpng-dev"])]),
        .systemLibrary(name: "CSystemd", pkgConfig: "libsystemd", providers: [.apt(["libsystemd-dev"])]),
        .systemLibrary(name: "COpenBLAS", pkgConfig: "openblas", providers: [.apt(["libopenblas-dev"])]),
        .systemLibrary(name: "COneDNN", providers: [.apt(["libdnnl-dev"])]),
        .systemLibrary(name: "CCrypto", pkgConfig: "libcrypto", providers: [.apt(["libssl-dev"])]),
        .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),
        .systemLibrary(name: "CZip", pkgConfig: "libzip", providers: [.apt(["libzip-dev"])]),
        .target(name: "CSignals"),
        .target(name: "CKernels", cSettings: [.unsafeFlags(["-O3", "-ffp-contract=off"])]),

        // Vocabulary and tools that know nothing of a microscope.
        .target(name: "Plate"),
        .target(name: "Files", dependencies: ["Plate"]),
        .target(name: "Digests", dependencies: ["CCrypto"]),
        .target(name: "Randomness"),
        .target(name: "Tables"),
        .target(name: "Charts"),
        .target(name: "StrictYAML", dependencies: [yams]),
        .target(name: "Mathematics", dependencies: ["Plate", "CKernels"]),

        // The world outside: files, folders, the service manager.
        .target(name: "Frames", dependencies: ["Plate", "Files", "CTIFF", "CPNG", "CKernels", "CZlib"]),
        .target(name: "Acquisition", dependencies: ["Plate", "CInotifyTools"]),
        .target(name: "Systemd", dependencies: ["CSystemd", "CSignals", logging]),
        .target(name: "Faults", dependencies: ["Plate", "Mathematics", "Randomness", "CKernels"]),

        // Networks and what they find.
        .target(name: "Tensors", dependencies: ["Files", "COpenBLAS", "COneDNN", "CKernels"]),
        // Its own writer and reader of the wire format of Protocol Buffers: some 100 lines, as four kinds of fields suffice.
        // swift-protobuf would add a library and generated code to every build.
        .target(name: "ONNX", dependencies: ["Tensors"]),
        .target(name: "Networks", dependencies: ["Tensors", "ONNX"]),
        .target(name: "Checkpoints", dependencies: ["Tensors", "CZip"]),
        .target(
            name: "Diffusion",
            dependencies: [
                "Plate", "Mathematics", "Randomness", "Tensors", "ONNX", "Networks", "CKernels",
            ]
        ),
        .target(name: "Evaluation", dependencies: ["Plate", "Mathematics"]),
        .target(
            name: "Verdict",
            dependencies: ["Plate", "Mathematics", "Randomness", "Evaluation", "CKernels"]
        ),
        .target(
            name: "Detection",
            dependencies: [
                "Plate", "Digests", "Mathematics", "Randomness", "Tensors", "ONNX", "Networks", "Checkpoints",
                "Diffusion",
                "Verdict",
            ]
        ),

        // What follows from many frames, and its records.
        .target(name: "Rules", dependencies: ["CKernels", "Plate", "Mathematics"]),
        .target(name: "Ledger", dependencies: ["Plate", grdb, logging]),
        .target(
            name: "Reporting",
            dependencies: ["Plate", "Files", "Digests", "Mathematics", "Frames", "Systemd", "Rules"]
        ),
        .target(
            name: "Monitoring",
            dependencies: [
                "Plate", "Files", "Frames", "Faults", "Acquisition", "Systemd", "Detection", "Ledger",
                "Rules",
                "Reporting",
                "StrictYAML", logging, lifecycle,
            ]
        ),
        .target(
            name: "Notifying",
            dependencies: ["Plate", "Files", "Digests", "Systemd", "Ledger", "Reporting", grdb, logging]
        ),
        .target(
            name: "Auditing",
            dependencies: [
                "Plate", "Files", "Tables", "Frames", "Acquisition", "Ledger", "Rules", "Reporting",
            ]
        ),
        .target(
            name: "Dashboard",
            dependencies: [
                "Plate", "Files", "Charts", "Frames", "Acquisition", "Verdict", "Ledger", "Rules",
                "Reporting",
                hummingbird,
                httpTypes, nio, nioHTTPTypes,
                logging, lifecycle,
            ],
            resources: [.embedInCode("Assets")]
        ),

        // What is done before and after a plate.
        .target(
            name: "Training",
            dependencies: [
                "Plate", "Files", "Digests", "Mathematics", "Randomness", "Tables", "Charts", "Frames",
                "Faults",
                "Tensors",
                "Networks",
                "Diffusion", "Verdict", "Evaluation", "Detection", logging,
            ]
        ),
        .target(
            name: "Benchmarking",
            dependencies: [
                "Plate", "Files", "Digests", "Mathematics", "Tables", "Charts", "Frames", "Tensors",
                "Networks",
                "Diffusion",
                "Verdict",
                "Evaluation", "Detection", "Training",
            ]
        ),
        .target(
            name: "Exporting",
            dependencies: [
                "Plate", "Files", "Digests", "Mathematics", "Tables", "Frames", "Tensors", "Networks",
                "Diffusion", "Verdict", "Detection", "Ledger", "Rules",
                "Reporting",
                "Training", yams,
            ]
        ),
        .target(
            name: "Simulation",
            dependencies: [
                "Plate", "Mathematics", "Randomness", "Tables", "Frames", "Faults", "Ledger", "Reporting",
                "StrictYAML", "CKernels",
            ]
        ),

        .executableTarget(
            name: "autoqc",
            dependencies: [
                "Plate", "Files", "Digests", "Mathematics", "Randomness", "Tables", "Charts", "Frames",
                "Faults",
                "Acquisition", "Systemd",
                "Tensors", "Networks", "Checkpoints", "Diffusion", "Evaluation", "Verdict", "Detection",
                "Rules",
                "Ledger", "Reporting", "Monitoring", "Notifying", "Auditing", "Dashboard", "Training",
                "Benchmarking",
                "Exporting",
                "Simulation", "CKernels", argumentParser, logging, lifecycle,
            ]
        ),

        .target(
            name: "TestSupport",
            dependencies: ["Plate", "Randomness", "Rules"],
            path: "Tests/TestSupport"
        ),
        .testTarget(name: "PlateTests", dependencies: ["Plate"]),
        .testTarget(name: "FilesTests", dependencies: ["Files", "TestSupport"]),
        .testTarget(name: "FaultsTests", dependencies: ["Faults", "Plate", "Mathematics", "Randomness"]),
        .testTarget(name: "MathematicsTests", dependencies: ["Mathematics", "Plate", "TestSupport"]),
        .testTarget(name: "TablesTests", dependencies: ["Tables", "TestSupport"]),
        .testTarget(name: "ChartsTests", dependencies: ["Charts"]),
        .testTarget(name: "FramesTests", dependencies: ["Frames", "Plate", "TestSupport"]),
        .testTarget(name: "TensorsTests", dependencies: ["CKernels", "Tensors", "TestSupport"]),
        .testTarget(name: "ONNXTests", dependencies: ["ONNX", "Tensors", "TestSupport"]),
        .testTarget(name: "AcquisitionTests", dependencies: ["Acquisition", "Plate", "TestSupport"]),
        .testTarget(name: "SystemdTests", dependencies: ["Systemd", "TestSupport", logging]),
        .testTarget(
            name: "NetworksTests",
            dependencies: ["Networks", "Tensors", "Diffusion", "TestSupport"]
        ),
        .testTarget(
            name: "DiffusionTests",
            dependencies: [
                "Diffusion", "Plate", "Frames", "CKernels", "Randomness", "Tensors", "Networks",
                "TestSupport",
            ]
        ),
        .testTarget(
            name: "VerdictTests",
            dependencies: [
                "Verdict", "Detection", "Diffusion", "Evaluation", "Mathematics", "Faults", "Plate", "Frames",
                "CKernels", "Randomness",
                "TestSupport", "Training",
            ]
        ),
        .testTarget(name: "EvaluationTests", dependencies: ["Evaluation", "Plate", "TestSupport"]),
        .testTarget(
            name: "DetectionTests",
            dependencies: [
                "Detection", "Digests", "Checkpoints", "Diffusion", "Verdict", "Plate", "Frames", "Tensors",
                "Networks", "ONNX",
                "Randomness",
                "TestSupport",
            ]
        ),
        .testTarget(
            name: "CheckpointsTests",
            dependencies: ["Checkpoints", "Tensors", "Networks", "TestSupport"]
        ),
        .testTarget(
            name: "SimulationTests",
            dependencies: [
                "Simulation", "Faults", "Mathematics", "Plate", "Frames", "Ledger", "Randomness", "Reporting",
                "Training",
                "TestSupport",
            ]
        ),
        .testTarget(
            name: "BenchmarkingTests",
            dependencies: [
                "Benchmarking", "Detection", "Diffusion", "Verdict", "Evaluation", "Training", "Frames",
                "Plate",
                "TestSupport",
            ]
        ),
        .testTarget(name: "LedgerTests", dependencies: ["Ledger", "Plate", "TestSupport", grdb]),
        .testTarget(
            name: "AuditingTests",
            dependencies: [
                "Auditing", "Acquisition", "Ledger", "Rules", "Reporting", "Tables", "Frames", "Plate",
                "TestSupport",
            ]
        ),
        .testTarget(
            name: "ExportingTests",
            dependencies: ["Exporting", "Ledger", "Reporting", "Rules", "Frames", "Plate", "TestSupport"]
        ),
        .testTarget(
            name: "ReportingTests",
            dependencies: ["Reporting", "Rules", "Plate", "Files", "Frames", "Systemd", "TestSupport"]
        ),
        .testTarget(name: "RulesTests", dependencies: ["Rules", "Plate", "Randomness", "TestSupport"]),
        .testTarget(
            name: "TrainingTests",
            dependencies: [
                "Training", "Detection", "Diffusion", "Verdict", "Networks", "Tensors", "Frames", "Plate",
                "TestSupport", "Tables",
            ]
        ),
        .testTarget(
            name: "MonitoringTests",
            dependencies: [
                "Monitoring", "Acquisition", "Detection", "Files", "Ledger", "Rules", "Reporting", "Frames",
                "Plate",
                "Systemd", "TestSupport", logging, lifecycle,
            ]
        ),
        .testTarget(
            name: "NotifyingTests",
            dependencies: [
                "Notifying", "Digests", "Ledger", "Plate", "Reporting", "TestSupport", logging,
            ]
        ),
        .testTarget(
            name: "DashboardTests",
            dependencies: [
                "Dashboard", "Ledger", "Rules", "Reporting", "Frames", "Plate", "TestSupport", logging,
                lifecycle,
            ]
        ),
        .testTarget(
            name: "EndToEndTests",
            dependencies: [
                "autoqc", "Detection", "Digests", "Diffusion", "Evaluation", "Verdict", "Frames", "Ledger",
                "Networks",
                "Plate",
                "Randomness", "Reporting", "Tables",
                "Tensors", "TestSupport",
            ]
        ),
    ],
    cLanguageStandard: .gnu17
)

for target in package.targets where target.type != .system && !["CKernels", "CSignals"].contains(target.name)
{
    target.swiftSettings = strict
}
