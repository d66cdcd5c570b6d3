package ingress

import (
	"errors"
	"fmt"
	"os"
	"syscall"
)

// checkPrivate holds files to libpq's rule for private keys: nothing for group
// and others, or, where root owns the file, reading for the group.
func checkPrivate(files []string) error {
	var problems []error
	for _, file := range files {
		if file == "" {
			continue
		}
		info, err := os.Stat(file) // a link's target: Kubernetes mounts secrets as links
		if err != nil {
			problems = append(problems, fmt.Errorf("private_files: %w", err))
			continue
		}
		forbidden := os.FileMode(0o077)
		if stat, ok := info.Sys().(*syscall.Stat_t); ok && stat.Uid == 0 {
			forbidden = 0o037
		}
		if info.Mode().Perm()&forbidden != 0 {
			problems = append(problems, fmt.Errorf("private_files: %s has mode %04o, so others can read it: must be 0600, or 0640 where root owns it", file, info.Mode().Perm()))
		}
	}
	return errors.Join(problems...)
}
