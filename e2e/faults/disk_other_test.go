//go:build !linux

package faults

import "errors"

func mountSmall(string, int) error { return errors.ErrUnsupported }

func unmount(string) error { return errors.ErrUnsupported }

func limitFiles(int, int64) error { return errors.ErrUnsupported }
