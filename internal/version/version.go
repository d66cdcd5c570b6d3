// Package version says which version of the program this is.
//
// scripts/version.sh derives it from the tag; the linker puts it here, and ocb
// into the collector.
package version

import "runtime/debug"

// linked is set by the linker: -X …/internal/version.linked=1.2.3.
var linked string

// String is the program's version, without a v: 1.2.3 for the tag v1.2.3. A
// program built without the project's Makefile has what Go knows of it, else devel.
func String() string {
	if linked != "" {
		return linked
	}
	if info, ok := debug.ReadBuildInfo(); ok && len(info.Main.Version) > 1 && info.Main.Version[0] == 'v' {
		return info.Main.Version[1:]
	}
	return "devel"
}
