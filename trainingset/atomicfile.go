package trainingset

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// writeAtomically writes a file that appears under its name only when it is
// complete and on disk, readable by its owner alone. On an error nothing is
// left of it, and what was there before stays.
func writeAtomically(path string, write func(io.Writer) error) (bytes int64, err error) {
	file, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*.tmp") // 0600
	if err != nil {
		return 0, fmt.Errorf("create a file beside %s: %w", path, err)
	}
	defer func() {
		if err != nil {
			_ = os.Remove(file.Name())
		}
	}()
	bytes, err = fill(file, write)
	if err != nil {
		return 0, fmt.Errorf("write %s: %w", path, err)
	}
	if err := os.Rename(file.Name(), path); err != nil {
		return 0, fmt.Errorf("put %s in place: %w", path, err)
	}
	return bytes, syncFolder(filepath.Dir(path))
}

// fill writes, syncs and closes the file and returns its size.
func fill(file *os.File, write func(io.Writer) error) (int64, error) {
	buffered := bufio.NewWriterSize(file, 256<<10)
	err := write(buffered)
	if err == nil {
		err = buffered.Flush()
	}
	if err == nil {
		err = file.Sync()
	}
	var size int64
	if info, statErr := file.Stat(); statErr == nil {
		size = info.Size()
	}
	return size, errors.Join(err, file.Close())
}

// syncFolder makes the rename itself last through a loss of power.
func syncFolder(path string) error {
	folder, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("sync the folder %s: %w", path, err)
	}
	defer folder.Close()
	if err := folder.Sync(); err != nil {
		return fmt.Errorf("sync the folder %s: %w", path, err)
	}
	return nil
}
