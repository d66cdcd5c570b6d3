package localpg

import (
	"bytes"
	"context"
	"fmt"
	"os"
)

// initData makes the data folder, unless it is there. It is made beside and
// renamed, so that a run killed halfway leaves nothing that looks complete.
func initData(ctx context.Context, b binaries, p *place, a account, unsynced bool, log progress) error {
	if isFolder(p.data()) {
		return nil
	}
	log.say("creating a data folder for PostgreSQL %s in %s", b.version, p.data())
	unfinished := p.data() + ".unfinished"
	if err := os.RemoveAll(unfinished); err != nil {
		return fmt.Errorf("remove an unfinished data folder: %w", err)
	}
	var output bytes.Buffer
	cmd := a.command(ctx, b.path("initdb"), initArgs(unfinished, unsynced)...)
	cmd.Stdout, cmd.Stderr = &output, &output
	initdb, err := startProcess(cmd, false)
	if err == nil {
		<-initdb.done
		err = initdb.err
	}
	if ctx.Err() != nil {
		err = ctx.Err()
	}
	if err != nil {
		_ = os.RemoveAll(unfinished)
		return fmt.Errorf("run initdb as %s: %w\n%s", a.name, err, lastLines(output.Bytes()))
	}
	if err := os.Rename(unfinished, p.data()); err != nil {
		return fmt.Errorf("put the data folder in place: %w", err)
	}
	return nil
}

func initArgs(data string, unsynced bool) []string {
	args := []string{
		"--pgdata=" + data,
		"--username=" + AdminUser,
		"--encoding=UTF8",
		// C sorts alike on every system; C.UTF-8 is not on all of them.
		"--locale=C",
		"--auth-local=trust", // the socket's folder is the door
		"--auth-host=reject",
		"--no-instructions",
	}
	if unsynced {
		args = append(args, "--no-sync")
	}
	return args
}
