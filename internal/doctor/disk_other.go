//go:build !linux

package doctor

import "errors"

func filesystem(string) (filesystemKind, error) {
	return filesystemKind{}, errors.New("what a folder lies on can be told on Linux only")
}

func freeSpace(string) (int64, error) {
	return 0, errors.New("free space can be told on Linux only")
}
