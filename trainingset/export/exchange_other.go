//go:build !linux

package export

func exchange(from, to string) error { return moveAside(from, to) }
