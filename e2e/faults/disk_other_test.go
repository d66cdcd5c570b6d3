//go:build !linux

package faults

import "errors"

func runNamespaced() (int, bool) { return 0, false }

func mountSmall(string, int) error { return errors.ErrUnsupported }

func unmount(string) error { return errors.ErrUnsupported }

func limitFiles(int, int64) error { return errors.ErrUnsupported }
