package localpg

import (
	"os"
	"runtime"
	"strings"
)

// installCommand is the one command that installs PostgreSQL here.
func installCommand() string {
	release, _ := os.ReadFile("/etc/os-release")
	return installCommandFor(runtime.GOOS, string(release), os.Geteuid() == 0)
}

func installCommandFor(goos, osRelease string, root bool) string {
	if goos == "darwin" {
		return "brew install postgresql@17" // never with sudo
	}
	command := packageCommand(osRelease)
	if root {
		return command
	}
	return "sudo " + command
}

// packageCommand goes by ID first and then by ID_LIKE, so that a derived
// distribution gets its parent's command.
func packageCommand(osRelease string) string {
	for _, id := range append(values(osRelease, "ID"), values(osRelease, "ID_LIKE")...) {
		switch id {
		case "debian", "ubuntu":
			return "apt-get install postgresql"
		case "fedora", "rhel", "centos", "amzn":
			return "dnf install postgresql-server"
		case "suse", "opensuse", "sles":
			return "zypper install postgresql-server"
		case "arch":
			return "pacman -S postgresql"
		case "alpine":
			return "apk add postgresql"
		}
	}
	return "apt-get install postgresql"
}

func values(osRelease, key string) []string {
	for line := range strings.Lines(osRelease) {
		if value, found := strings.CutPrefix(strings.TrimSpace(line), key+"="); found {
			return strings.Fields(strings.Trim(value, `"'`))
		}
	}
	return nil
}
