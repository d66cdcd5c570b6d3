//go:build !linux

package doctor

import "errors"

func listeningOn(string) (process, error) {
	return process{}, errors.New("which process listens on an address can be told on Linux only")
}
