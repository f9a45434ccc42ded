/// What tells one content of one file from another without reading it.
///
/// It is a first look only. If it is the same, so are the pixels, on every file system that keeps times of change (FAT does not);
/// if it is another one, they may still be the same: then the digest of the pixels decides (`PageDigest`). The number of the
/// file system is no part of it, as it is another one after each mount.
package struct FileIdentity: Hashable, Sendable {
    /// Number of the file on its file system.
    package let inode: UInt64
    /// Bytes.
    package let size: Int64
    /// When it was last written, as whoever wrote it says.
    package let modified: Timestamp
    /// When it was last written, renamed or set another time or right, as its file system says.
    package let changed: Timestamp

    /// Gathers the four; `changed` is `modified` where it is not given.
    package init(inode: UInt64, size: Int64, modified: Timestamp, changed: Timestamp? = nil) {
        (self.inode, self.size, self.modified, self.changed) = (inode, size, modified, changed ?? modified)
    }
}

/// By what a page of a file is known again.
package struct PageDigest: Hashable, Sendable {
    /// Of the size and all grey values: the same for the same picture, however it is stored.
    package let pixels: UInt64
    /// Of samples of the bytes that are stored: quick, for pages of a stack that has grown.
    package let stored: UInt64

    /// Gathers the two.
    package init(pixels: UInt64, stored: UInt64) {
        (self.pixels, self.stored) = (pixels, stored)
    }
}

/// Where a frame comes from: a page of a file, and the content that the file had.
package struct FrameSource: Hashable, Sendable {
    /// Absolute path of the watched folder; empty for a file that belongs to no watched folder.
    package let root: String
    /// The file's path below `root`.
    package let path: String
    /// Page of a multi-page file, counted from 0.
    package let page: Int
    /// The file's content; `nil` where the file was gone before it could be looked at.
    package let identity: FileIdentity?

    /// Names a page of a file.
    package init(root: String, path: String, page: Int = 0, identity: FileIdentity? = nil) {
        (self.root, self.path, self.page, self.identity) = (root, path, page, identity)
    }

    /// The file's absolute path.
    package var absolutePath: String {
        if root.isEmpty { return path }
        return root.utf8.last == UInt8(ascii: "/") ? root + path : root + "/" + path
    }

    /// Sixteen digits that tell this page of this file from every other in addresses and decisions.
    package var key: String { "\(absolutePath)\n\(page)".stableHash }

    /// Whether both are the same page with the same content; paths are compared as bytes.
    package static func == (left: FrameSource, right: FrameSource) -> Bool {
        left.place == right.place && left.identity == right.identity
    }

    /// Feeds place and content.
    package func hash(into hasher: inout Hasher) {
        hasher.combine(place)
        hasher.combine(identity)
    }

    /// Another page of the same file.
    package func page(_ page: Int) -> FrameSource {
        FrameSource(root: root, path: path, page: page, identity: identity)
    }

    /// Which page of which file, whatever its content; the ledger has at most one row for each.
    package struct Place: Hashable, Sendable, Comparable {
        /// Absolute path of the watched folder.
        package let root: ExactPath
        /// The file's path below `root`.
        package let path: ExactPath
        /// Page of a multi-page file, counted from 0.
        package let page: Int

        /// Orders by folder, path and page.
        package static func < (left: Place, right: Place) -> Bool {
            (left.root, left.path, left.page) < (right.root, right.path, right.page)
        }
    }

    /// The source without its content.
    package var place: Place { Place(root: ExactPath(root), path: ExactPath(path), page: page) }
}

/// A frame, and where it lies.
package struct LocatedFrame: Hashable, Sendable {
    /// The page of a file.
    package let source: FrameSource
    /// What the file's name says.
    package let frame: FrameID

    /// Gathers the two.
    package init(source: FrameSource, frame: FrameID) {
        (self.source, self.frame) = (source, frame)
    }
}

/// What became of one frame: a row of the ledger.
package struct FrameRecord: Sendable, Equatable {
    /// What became of the frame; every frame ends in exactly one of these.
    package enum Outcome: Sendable, Equatable {
        /// Judged.
        case judged(Judgement)
        /// Could not be read or judged; the sentence says why.
        case quarantined(reason: String)
        /// Was not meant to be judged; the sentence says why.
        case skipped(reason: String)
    }

    /// The outcome's name in ledger and exports.
    package enum State: String, Sendable, CaseIterable {
        /// Judged; `scored` in ledger and exports.
        case judged = "scored"
        /// Not readable or not judgeable.
        case quarantined
        /// Not meant to be judged.
        case skipped
    }

    /// Where the frame comes from.
    package let source: FrameSource
    /// Frames of the file, at least 1; a file is settled when there are as many rows with its identity.
    package let pages: Int
    /// By what the page is known again; `nil` where it could not be read.
    package let digest: PageDigest?
    /// What the file's name says; `nil` where the name says nothing.
    package let frame: FrameID?
    /// What became of it.
    package let outcome: Outcome
    /// Name of the model at work, the first digits of its file's SHA-256.
    package let model: String?
    /// When the file was complete on disk.
    package let completed: Timestamp?
    /// When the outcome was decided.
    package let judged: Timestamp

    /// Gathers a row.
    package init(
        source: FrameSource,
        pages: Int = 1,
        digest: PageDigest? = nil,
        frame: FrameID? = nil,
        outcome: Outcome,
        model: String? = nil,
        completed: Timestamp? = nil,
        judged: Timestamp
    ) {
        precondition(pages > 0 && source.page >= 0, "page \(source.page) of a file of \(pages) pages")
        self.source = source
        self.pages = pages
        self.digest = digest
        self.frame = frame
        self.outcome = outcome
        self.model = model
        self.completed = completed
        self.judged = judged
    }

    /// The outcome's name.
    package var state: State {
        switch outcome {
        case .judged: .judged
        case .quarantined: .quarantined
        case .skipped: .skipped
        }
    }

    /// The judgement of a frame that was judged.
    package var judgement: Judgement? {
        if case .judged(let judgement) = outcome { judgement } else { nil }
    }

    /// Why the frame was not judged; `nil` for one that was.
    package var reason: String? {
        switch outcome {
        case .judged: nil
        case .quarantined(let reason), .skipped(let reason): reason
        }
    }
}

/// A frame that was judged earlier.
package struct PastFrame: Sendable, Equatable {
    /// Its place in time.
    package let index: Int
    /// Normal or faulty.
    package let verdict: Verdict
    /// Distance from normal frames in their own spread.
    package let severity: Double
    /// Severity above which it was faulty.
    package let threshold: Double
    /// The image scores, the same for the same image and for no other; `nil` where they are not known.
    package let scores: ImageScores?
    /// The evidence for a fault up to it (`Judgement.evidence`).
    package let evidence: Double?

    /// Gathers a frame.
    package init(
        index: Int,
        verdict: Verdict,
        severity: Double,
        threshold: Double,
        scores: ImageScores?,
        evidence: Double? = nil
    ) {
        (self.index, self.verdict) = (index, verdict)
        (self.severity, self.threshold) = (severity, threshold)
        (self.scores, self.evidence) = (scores, evidence)
    }

    /// Whether the frame passes and nothing speaks for a fault of its well.
    package var isQuiet: Bool { verdict == .normal && (evidence ?? 0) <= 0 }
}

/// How one view of a well stands after its last judged frame.
package struct ViewStanding: Sendable, Equatable {
    /// Whether it counts as faulty, after hysteresis.
    package let isFaulty: Bool
    /// Whether its last frame is normal.
    package let passes: Bool
    /// The evidence for a fault up to that frame (`Judgement.evidence`); 0 where it is not known.
    package let evidence: Double

    /// Gathers the three.
    package init(isFaulty: Bool, passes: Bool, evidence: Double) {
        (self.isFaulty, self.passes, self.evidence) = (isFaulty, passes, evidence)
    }
}

/// A frame's place in time, as its name says, and when its file was written.
package struct PlaceInTime: Sendable, Equatable {
    /// The index in the file's name.
    package let index: Int
    /// When the file was written.
    package let modified: Timestamp

    /// Gathers the two.
    package init(index: Int, modified: Timestamp) {
        (self.index, self.modified) = (index, modified)
    }
}

/// Frames by what became of them.
package struct FrameCounts: Sendable, Equatable, Codable {
    /// Files taken from the watched folders.
    package var seen = 0
    /// Files that an earlier run of the daemon had judged.
    package var known = 0
    /// Frames judged.
    package var judged = 0
    /// Of them, those judged faulty.
    package var flagged = 0
    /// Of them, those judged by half of their patches, because judging was behind.
    package var halves = 0
    /// Of them, those judged after newer ones, because judging was behind.
    package var deferred = 0
    /// Frames that could not be judged.
    package var quarantined = 0
    /// Files that were not meant to be judged.
    package var skipped = 0

    /// Nothing is counted yet.
    package init() {}

    /// Adds each count.
    package static func += (left: inout FrameCounts, right: FrameCounts) {
        left.seen += right.seen
        left.known += right.known
        left.judged += right.judged
        left.flagged += right.flagged
        left.halves += right.halves
        left.deferred += right.deferred
        left.quarantined += right.quarantined
        left.skipped += right.skipped
    }
}
