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
        .target(name: "CKernels", cSettings: [.unsafeFlags(["-O3", "-ffp-contract=off"])]),

        .target(name: "Plate"),
        .target(name: "Randomness"),
        .target(name: "Mathematics", dependencies: ["Plate", "CKernels"]),
        .target(name: "Tables"),
        .target(name: "Charts"),
        .target(name: "StrictYAML", dependencies: [yams]),
        .target(name: "Frames", dependencies: ["Plate", "CTIFF", "CPNG", "CKernels", "CZlib"]),
        .target(name: "Tensors", dependencies: ["COpenBLAS", "COneDNN", "CKernels"]),
        .target(name: "Acquisition", dependencies: ["Plate", "CInotifyTools"]),
        .target(name: "Systemd", dependencies: ["CSystemd", logging]),

        .target(name: "Networks", dependencies: ["Tensors"]),
        .target(
            name: "Detection",
            dependencies: [
                "Plate", "Mathematics", "Tensors", "Networks", "CKernels", "CCrypto", "Randomness",
            ]
        ),
        .target(name: "Checkpoints", dependencies: ["Tensors", "CZip"]),
        .target(name: "Ledger", dependencies: ["Plate", grdb]),
        .target(name: "Reporting", dependencies: ["Plate", "Mathematics", "Frames", "Systemd"]),

        .target(
            name: "Training",
            dependencies: [
                "Plate", "Mathematics", "Tables", "Charts", "Frames", "Tensors", "Networks", "Detection",
                "Randomness", logging,
            ]
        ),
        .target(
            name: "Simulation",
            dependencies: [
                "Plate", "Mathematics", "Tables", "Frames", "Randomness", "Ledger", "Reporting", "StrictYAML",
                "CKernels",
            ]
        ),
        .target(
            name: "Benchmarking",
            dependencies: [
                "Plate", "Mathematics", "Tables", "Charts", "Frames", "Tensors", "Networks", "Detection",
                "Training",
            ]
        ),
        .target(
            name: "Monitoring",
            dependencies: [
                "Plate", "Frames", "Acquisition", "Systemd", "Detection", "Ledger", "Reporting", "StrictYAML",
                logging, lifecycle,
            ]
        ),

        .target(
            name: "Auditing",
            dependencies: ["Plate", "Tables", "Frames", "Acquisition", "Ledger", "Reporting"]
        ),

        .target(name: "Exporting", dependencies: ["Plate", "Tables", "Frames", "Ledger", "Reporting"]),
        .target(
            name: "Dashboard",
            dependencies: [
                "Plate", "Charts", "Frames", "Ledger", "Reporting", hummingbird, httpTypes, logging,
                lifecycle,
            ],
            resources: [.embedInCode("Assets")]
        ),

        .executableTarget(
            name: "autoqc",
            dependencies: [
                "Plate", "Frames", "Tensors", "Acquisition", "Systemd", "Networks", "Detection", "Ledger",
                "Reporting", "Training", "Monitoring", "Checkpoints", "Simulation", "Benchmarking",
                "Randomness", "CKernels", "Auditing", "Dashboard", "Exporting", "Tables",
                argumentParser, logging, lifecycle,
            ]
        ),

        .target(
            name: "TestSupport",
            dependencies: ["Plate"],
            path: "Tests/TestSupport"
        ),
        .testTarget(name: "PlateTests", dependencies: ["Plate"]),
        .testTarget(name: "MathematicsTests", dependencies: ["Mathematics", "Plate", "TestSupport"]),
        .testTarget(name: "TablesTests", dependencies: ["Tables", "TestSupport"]),
        .testTarget(name: "ChartsTests", dependencies: ["Charts"]),
        .testTarget(name: "FramesTests", dependencies: ["Frames", "Plate", "TestSupport"]),
        .testTarget(name: "TensorsTests", dependencies: ["CKernels", "Tensors", "TestSupport"]),
        .testTarget(name: "AcquisitionTests", dependencies: ["Acquisition", "Plate", "TestSupport"]),
        .testTarget(name: "SystemdTests", dependencies: ["Systemd", "TestSupport", logging]),
        .testTarget(
            name: "NetworksTests",
            dependencies: ["Networks", "Tensors", "Detection", "TestSupport"]
        ),
        .testTarget(
            name: "DetectionTests",
            dependencies: [
                "Detection", "Plate", "Frames", "Tensors", "Networks", "CKernels", "Randomness",
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
                "Simulation", "Mathematics", "Plate", "Frames", "Ledger", "Randomness", "Reporting",
                "Training",
                "TestSupport",
            ]
        ),
        .testTarget(
            name: "BenchmarkingTests",
            dependencies: ["Benchmarking", "Detection", "Training", "Frames", "Plate", "TestSupport"]
        ),
        .testTarget(name: "LedgerTests", dependencies: ["Ledger", "Plate", "TestSupport", grdb]),
        .testTarget(
            name: "AuditingTests",
            dependencies: [
                "Auditing", "Acquisition", "Ledger", "Reporting", "Frames", "Plate", "TestSupport",
            ]
        ),
        .testTarget(
            name: "ReportingTests",
            dependencies: ["Reporting", "Randomness", "Plate", "Frames", "Systemd", "TestSupport"]
        ),
        .testTarget(
            name: "TrainingTests",
            dependencies: [
                "Training", "Detection", "Networks", "Tensors", "Tables", "Frames", "Plate", "TestSupport",
            ]
        ),
        .testTarget(
            name: "MonitoringTests",
            dependencies: [
                "Monitoring", "Acquisition", "Detection", "Ledger", "Reporting", "Frames", "Plate", "Systemd",
                "TestSupport", logging, lifecycle,
            ]
        ),
        .testTarget(
            name: "DashboardTests",
            dependencies: [
                "Dashboard", "Ledger", "Reporting", "Frames", "Plate", "TestSupport", logging, lifecycle,
            ]
        ),
        .testTarget(
            name: "EndToEndTests",
            dependencies: [
                "autoqc", "Detection", "Frames", "Ledger", "Networks", "Plate", "Randomness", "Reporting",
                "Tensors", "TestSupport",
            ]
        ),
    ],
    cLanguageStandard: .gnu17
)

for target in package.targets where target.type != .system && target.name != "CKernels" {
    target.swiftSettings = strict
}
