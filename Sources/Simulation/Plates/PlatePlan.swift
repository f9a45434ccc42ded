import Plate

/// When which frame of a plate is written, and where.
struct PlatePlan: Sendable {
    struct Step: Sendable, Equatable {
        /// Position of the well in the scan.
        let position: Int
        let frame: FrameID
        /// From the start, in real time.
        let due: Duration
        let path: String
    }

    let settings: PlateSettings
    let wells: [Well]

    init(_ settings: PlateSettings) {
        self.settings = settings
        wells = ScanOrder.wells(settings.wells)
    }

    var count: Int { wells.count * settings.frames }

    /// The frame at a place in the order of writing.
    func step(_ number: Int) -> Step {
        let (index, position) = (number / wells.count, number % wells.count)
        // Lens after lens fills the interval; a burst keeps the frames back until the scan is over.
        let share = settings.writer == .burst ? 1 : Double(position) / Double(wells.count)
        return Step(
            position: position,
            frame: FrameID(run: settings.run, well: wells[position], index: index),
            due: .seconds((Double(index) + share) * settings.scaledInterval),
            path: path(of: wells[position], index: index)
        )
    }

    private func path(of well: Well, index: Int) -> String {
        let name = "\(settings.run)_\(well.fileName)"
        return switch settings.layout {
        case .flat: "\(name)_f\(index).tiff"
        case .perWell: "\(well.fileName)/\(name)_f\(index).tiff"
        case .movie: "\(name)_f0.tiff"
        }
    }
}

/// The order in which 16 lenses, 4 rows by 4 columns, scan a 384-well plate.
enum ScanOrder {
    /// Wells of the plate: 16 rows by 24 columns.
    static let plateSize = 384

    /// The first wells: position after position of the lenses, row by row within each.
    static func wells(_ count: Int) -> [Well] {
        precondition(count <= plateSize, "a plate of \(plateSize) wells has no \(count)")
        return (0..<count).compactMap { number in
            let (position, lens) = (number / 16, number % 16)
            return Well(row: position / 6 * 4 + lens / 4, column: position % 6 * 4 + lens % 4 + 1)
        }
    }
}

extension Well {
    /// The name as published file names have it: `B1`, where `description` is `B01`.
    var fileName: String { "\(description.prefix { $0.isLetter })\(column)" }
}
