/// A way of bringing frames into the plate's folder.
protocol FrameDelivery {
    /// When the next piece of an open file is due, from the start; `nil` for none.
    var nextPiece: Duration? { get }
    /// Takes a frame whose time has come.
    mutating func deliver(_ made: FrameMaker.Made, _ step: PlatePlan.Step) throws(SimulationError)
    /// Writes the piece that is due.
    mutating func writePiece() throws(SimulationError)
    /// Closes what is open.
    mutating func finish() throws(SimulationError)
}
