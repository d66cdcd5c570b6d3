package doctor

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// filesystems are those that a queue should not lie on, and the usual others.
var filesystems = map[int64]filesystemKind{
	unix.TMPFS_MAGIC: {name: "tmpfs", inMemory: true}, unix.RAMFS_MAGIC: {name: "ramfs", inMemory: true},
	unix.NFS_SUPER_MAGIC: {name: "nfs", network: true}, unix.SMB_SUPER_MAGIC: {name: "smb", network: true},
	unix.CIFS_SUPER_MAGIC: {name: "cifs", network: true}, unix.SMB2_SUPER_MAGIC: {name: "smb2", network: true},
	unix.V9FS_MAGIC: {name: "9p", network: true}, unix.CEPH_SUPER_MAGIC: {name: "ceph", network: true},
	unix.AFS_SUPER_MAGIC:  {name: "afs", network: true},
	unix.EXT4_SUPER_MAGIC: {name: "ext"}, unix.XFS_SUPER_MAGIC: {name: "xfs"}, unix.BTRFS_SUPER_MAGIC: {name: "btrfs"},
	unix.OVERLAYFS_SUPER_MAGIC: {name: "overlay, as in a container: mount a volume, or the queue goes with the container"},
}

func filesystem(folder string) (filesystemKind, error) {
	var stat unix.Statfs_t
	if err := unix.Statfs(folder, &stat); err != nil {
		return filesystemKind{}, fmt.Errorf("look what %s lies on: %w", folder, err)
	}
	if kind, known := filesystems[int64(stat.Type)]; known { //nolint:unconvert // not int64 everywhere
		return kind, nil
	}
	return filesystemKind{name: fmt.Sprintf("filesystem 0x%x", stat.Type)}, nil
}

// freeSpace is what an ordinary user may still write.
func freeSpace(folder string) (int64, error) {
	var stat unix.Statfs_t
	if err := unix.Statfs(folder, &stat); err != nil {
		return 0, fmt.Errorf("look at the free space of %s: %w", folder, err)
	}
	return int64(stat.Bavail) * stat.Frsize, nil
}
