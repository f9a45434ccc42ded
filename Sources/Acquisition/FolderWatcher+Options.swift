extension FolderWatcher {
    /// What is taken and how patiently; durations are of wall time.
    package struct Options: Sendable, Equatable {
        /// Leaves frames alone that were written before the start and lie there then.
        package var onlyNew = false
        /// How long a file that was found without an event must stay the same before it is taken.
        package var settle = Duration.seconds(1)
        /// How soon an incomplete file is looked at again; the pause doubles up to `longestRetry`.
        package var firstRetry = Duration.milliseconds(50)
        /// The longest pause between two looks at an incomplete file.
        package var longestRetry = Duration.seconds(5)
        /// How long an incomplete file may stay the same, in size and time of writing, before it is given up.
        package var giveUpAfter = Duration.seconds(60)
        /// How often folders are looked through that cannot be watched or are not there.
        package var pollInterval = Duration.seconds(2)
        /// Looks through all folders at every `pollInterval`, beside watching them; file systems known to be
        /// shared over a network are treated so anyway.
        package var poll = false
        /// Folders that are not entered, for example the output tree if it lies in a watched folder.
        package var excluded: [String] = []

        /// The values that fit a microscope with a local disk.
        package init() {}
    }
}
