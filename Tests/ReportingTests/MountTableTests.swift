import Foundation
import TestSupport
import Testing

@testable import Reporting

struct MountTableTests {
    @Test(arguments: [
        ("/data/quality", "/data"), ("/data", "/data"), ("/data/big disk/out", "/data/big disk"),
        ("/data/mounted/out", nil),
        ("/database", nil), ("/var/lib/autoqc", nil), ("/", nil),
    ])
    func aFileSystemOfFstabThatIsNotMountedIsMissing(path: String, missing: String?) async throws {
        try await withTemporaryFolder { folder in
            let (wanted, mounted) = (folder.appending(path: "fstab"), folder.appending(path: "mounts"))
            let table = """
                # <file system> <mount point> <type>
                /dev/sda1 / ext4 defaults 0 1
                UUID=1 none swap sw 0 0
                //server/share\t/data cifs ro 0 0
                server:/big /data/big\\040disk nfs defaults 0 0
                server:/small /data/mounted nfs defaults 0 0
                #server:/old /var nfs defaults 0 0
                """
            try Data(table.utf8).write(to: wanted)
            let now = "/dev/sda1 / ext4 rw 0 0\nserver:/small /data/mounted nfs rw 0 0\n"
            try Data((path.contains("mounted") ? now + "x /data cifs ro 0 0\n" : now).utf8).write(to: mounted)
            #expect(MountTable.missing(for: path, wanted: wanted.path, mounted: mounted.path) == missing)
            #expect(MountTable.missing(for: path, wanted: "/nowhere", mounted: mounted.path) == nil)
        }
    }
}
