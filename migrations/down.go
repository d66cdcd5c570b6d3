package migrations

import (
	"context"
	"fmt"
	"regexp"
	"strings"

	"github.com/pressly/goose/v3"
)

// Oldest is the version below which Down does not go: those up to it made the
// tables that hold the decisions, and undoing them would drop these.
const Oldest = 4

// An Undoing is a migration that Down would undo.
type Undoing struct {
	Migration
	// Drops are the tables and columns that go with it, and what they hold: "table
	// compression_telemetry_forgotten".
	Drops []string
}

// Undoings returns what Down to that version would undo, the newest first. The
// error says if the version is none to go back to.
func Undoings(ctx context.Context, url string, version int64) ([]Undoing, error) {
	if err := reachable(version); err != nil {
		return nil, err
	}
	all, err := Status(ctx, url)
	if err != nil {
		return nil, err
	}
	var undoings []Undoing
	for i := len(all) - 1; i >= 0 && all[i].Version > version; i-- {
		if !all[i].Applied {
			continue
		}
		drops, err := drops(all[i].Name)
		if err != nil {
			return nil, err
		}
		undoings = append(undoings, Undoing{all[i], drops})
	}
	return undoings, nil
}

// reachable says whether Down may go back to that version; no database is asked.
func reachable(version int64) error {
	all, err := Embedded()
	if err != nil {
		return err
	}
	if newest := all[len(all)-1].Version; version < Oldest || version > newest {
		return fmt.Errorf("version %d: must be from %d, for those up to it made the tables that hold the decisions, to %d, the newest", version, Oldest, newest)
	}
	return nil
}

var dropping = regexp.MustCompile(`(?m)^\s*(?:ALTER TABLE (\w+)|DROP (TABLE|COLUMN) (?:IF EXISTS )?(\w+))`)

// drops reads what a migration's way back takes with it.
func drops(name string) (found []string, err error) {
	content, err := files.ReadFile(name)
	if err != nil {
		return nil, err
	}
	_, down, ok := strings.Cut(string(content), "-- +goose Down")
	if !ok {
		return nil, fmt.Errorf("%s has no way back", name)
	}
	table := ""
	for _, m := range dropping.FindAllStringSubmatch(down, -1) {
		switch m[2] {
		case "":
			table = m[1]
		case "TABLE":
			found = append(found, "table "+m[3])
		case "COLUMN":
			found = append(found, "column "+table+"."+m[3])
		}
	}
	return found, nil
}

// Down undoes every migration after that version, the newest first, each in a
// transaction of its own, and returns those it undid; see [Undoings]. After an error
// the ones returned stay undone.
func Down(ctx context.Context, url string, version int64) ([]Migration, error) {
	if err := reachable(version); err != nil {
		return nil, err
	}
	return move(url, "undo", false, func(p *goose.Provider) ([]*goose.MigrationResult, error) { return p.DownTo(ctx, version) })
}
