package doctor

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// What a decision takes of the queue's file at most where requests are full: as a
// finished row (docs/delivery.md has the measurement), and in an agent as OTLP.
const (
	bytesPerRow  = 350
	bytesPerOTLP = 1400
)

// queue looks at the folder of the durable queue.
func (e *examination) queue(ctx context.Context, s *series) {
	all := []string{"queue.folder", "queue.files", "queue.filesystem", "disk.queue"}
	dir := e.set.queueDir
	if dir == "" {
		s.skip("", "the configuration has no queue on disk: decisions are acknowledged when they are committed", all...)
		return
	}
	there := true
	s.look(ctx, "queue.folder", dir, func(_ context.Context, l *look) { there = lookAtQueueFolder(l, dir) })
	if there {
		s.look(ctx, "queue.files", dir, func(_ context.Context, l *look) { lookAtQueueFiles(l, dir) })
	} else {
		s.skip(dir, "there is no folder yet", "queue.files")
	}
	s.look(ctx, "queue.filesystem", dir, func(_ context.Context, l *look) { lookAtFilesystem(l, dir) })
	s.look(ctx, "disk.queue", dir, func(_ context.Context, l *look) { e.lookAtQueueSpace(l, dir) })
}

func lookAtQueueFolder(l *look, dir string) (there bool) {
	info, err := os.Lstat(dir)
	if errors.Is(err, fs.ErrNotExist) {
		l.info("", "it is not there yet: the collector makes it, with mode 0700")
		lookAtWayTo(l, dir)
		return false
	}
	if err != nil {
		l.wrong("let the collector's user get there", "%s", err)
		return false
	}
	if info.Mode()&fs.ModeSymlink != 0 {
		l.warn("name the folder itself in "+envQueue, "it is a link: whoever may change it decides where decisions go")
		if info, err = os.Stat(dir); err != nil {
			l.wrong("remove the link", "%s", err)
			return false
		}
	}
	if !info.IsDir() {
		l.wrong("name a folder in "+envQueue, "it is no folder")
		return false
	}
	mode := info.Mode().Perm()
	switch chmod := "chmod 700 " + dir; {
	case mode&0o022 != 0:
		l.wrong(chmod, "others may put files into it, its mode is %04o", mode)
	case mode&0o077 != 0:
		l.warn(chmod, "others may look into it, its mode is %04o", mode)
	case mode&0o700 != 0o700:
		l.wrong(chmod, "its owner may not use it, its mode is %04o", mode)
	}
	if owner, known := ownerOf(info); known && owner != os.Geteuid() {
		do := fmt.Sprintf("run doctor as the collector's user; if that is not %s: chown -R COLLECTOR %s", userName(owner), dir)
		if os.Geteuid() == 0 {
			l.info(do, "it belongs to %s", userName(owner))
		} else {
			l.wrong(do, "it belongs to %s, this is %s", userName(owner), userName(os.Geteuid()))
		}
	}
	lookAtWayTo(l, dir)
	if l.worst() == OK {
		l.ok("mode %04o", mode)
	}
	return true
}

// lookAtWayTo looks whether others may put another folder in its place.
func lookAtWayTo(l *look, dir string) {
	absolute, err := filepath.Abs(dir)
	if err != nil {
		return
	}
	for parent := filepath.Dir(absolute); ; parent = filepath.Dir(parent) {
		if replaceable(parent) {
			l.warn("chmod go-w "+parent, "others may put another folder in its place: they may write to %s", parent)
		}
		if parent == filepath.Dir(parent) {
			return
		}
	}
}

func lookAtQueueFiles(l *look, dir string) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		l.skip("%s", err)
		return
	}
	folder, err := os.Stat(dir)
	if err != nil {
		l.skip("%s", err)
		return
	}
	owner, _ := ownerOf(folder)
	files, size := 0, int64(0)
	for _, entry := range entries {
		info, err := entry.Info()
		if err != nil || info.IsDir() {
			continue // gone meanwhile
		}
		files, size = files+1, size+info.Size()
		path := filepath.Join(dir, entry.Name())
		if mode := info.Mode(); mode&fs.ModeSymlink != 0 {
			l.wrong("remove it", "%s is a link", entry.Name())
		} else if mode.Perm()&0o077 != 0 {
			l.wrong("chmod 600 "+path, "%s is open to others, its mode is %04o", entry.Name(), mode.Perm())
		}
		if own, known := ownerOf(info); known && own != owner {
			l.wrong(fmt.Sprintf("chown %s %s", userName(owner), path), "%s belongs to %s, not to the folder's owner", entry.Name(), userName(own))
		}
	}
	if len(l.found) == 0 {
		l.ok("%d files, %s", files, bytesText(size))
	}
}

// nearestFolder is the folder itself, or the one it will be made in.
func nearestFolder(dir string) string {
	absolute, err := filepath.Abs(dir)
	if err != nil {
		return dir
	}
	for !existing(absolute) && absolute != filepath.Dir(absolute) {
		absolute = filepath.Dir(absolute)
	}
	return absolute
}

func lookAtFilesystem(l *look, dir string) {
	switch kind, err := filesystem(nearestFolder(dir)); {
	case err != nil:
		l.skip("%s", err)
	case kind.inMemory:
		l.wrong("name a folder on a disk in "+envQueue, "it lies in memory (%s): what is acknowledged is gone when the machine restarts", kind.name)
	case kind.network:
		l.warn("name a folder on a local disk in "+envQueue, "it lies on another machine (%s): the queue locks its file and maps it to memory, which such filesystems do badly", kind.name)
	default:
		l.ok("%s", kind.name)
	}
}

func (e *examination) lookAtQueueSpace(l *look, dir string) {
	free, err := freeSpace(nearestFolder(dir))
	if err != nil {
		l.skip("%s", err)
		return
	}
	var used int64
	if entries, err := os.ReadDir(dir); err == nil {
		for _, entry := range entries {
			if info, err := entry.Info(); err == nil {
				used += info.Size()
			}
		}
	}
	judgeQueueSpace(l, free, used, e.set.queueRows, e.set.queuedBytes)
}

// judgeQueueSpace goes by what a full queue takes, and a quarter more.
func judgeQueueSpace(l *look, free, used, rows, each int64) {
	needed := rows * each * 5 / 4
	missing := needed - used
	holds := (free + used) / each
	switch do := "make room, or lower sending_queue::queue_size"; {
	case free < 16<<20:
		l.wrong(do, "%s are free", bytesText(free))
	case free < missing:
		l.warn(do, "%s are free: with what it has the queue holds some %d decisions, not %d", bytesText(free), holds, rows)
	default:
		l.ok("%s are free, a full queue of %d decisions takes %s", bytesText(free), rows, bytesText(needed))
	}
}
