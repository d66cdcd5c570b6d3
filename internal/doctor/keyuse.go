package doctor

import (
	"context"
	_ "embed"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/novacron/dwcp-telemetry/internal/pseudonym"
)

//go:embed sql/key_use.sql
var keyUseSQL string

// keyUse is how the table knows a key's id: by a few rows at both ends of each
// partition, for there is no index on it.
type keyUse struct {
	id          string
	first, last time.Time
}

func readKeyUse(ctx context.Context, q pgx.Tx) (all []keyUse, err error) {
	rows, err := q.Query(ctx, keyUseSQL)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (u keyUse, err error) {
		err = row.Scan(&u.id, &u.first, &u.last)
		return u, err
	})
}

// lookAtKeyID compares the first key's id with that of the newest decisions.
func (e *examination) lookAtKeyID(ctx context.Context, l *look, tx pgx.Tx) {
	used, err := readKeyUse(ctx, tx)
	if err != nil {
		l.trouble(err)
		return
	}
	if len(used) == 0 {
		l.info("", "the table holds no decision yet")
		return
	}
	newest := used[0]
	for _, u := range used {
		if u.last.After(newest.last) {
			newest = u
		}
	}
	own := e.set.keys[0].id
	if newest.id != own && e.set.noSecret == "" {
		l.warn(pseudonym.EnvKeyID+"="+newest.id+", unless you rotate just now",
			"the newest decisions have the key id %s, the key here is %s: the same VM has two pseudonyms", newest.id, own)
		return
	}
	l.ok("the newest decisions have the id %s, too", own)
}

// lookAtKeyAge goes by the first decisions of the key's id.
func (e *examination) lookAtKeyAge(ctx context.Context, l *look, tx pgx.Tx) {
	used, err := readKeyUse(ctx, tx)
	if err != nil {
		l.trouble(err)
		return
	}
	for _, u := range used {
		if u.id != e.set.keys[0].id {
			continue
		}
		if age := u.last.Sub(u.first); age > year {
			l.warn(rotate, "the id %s is in use since %s at least", u.id, u.first.Format(time.DateOnly))
		} else {
			l.ok("the id %s is in use since %s at least, as far as the table reaches back", u.id, u.first.Format(time.DateOnly))
		}
		return
	}
	l.info("", "no decision was found under the id %s yet", e.set.keys[0].id)
}

// lookWhetherKeyChanged can tell for certain by a VM that is known to have sent
// decisions, and suspect by the file's time.
func (e *examination) lookWhetherKeyChanged(ctx context.Context, l *look, tx pgx.Tx) {
	k := e.set.keys[0]
	secret, err := k.read()
	if err != nil {
		l.skip("the key cannot be read; see key.secret")
		return
	}
	const newID = "put the old key back, or give this one an id of its own: under one id the same decision, sent again, becomes a conflict"
	if e.VMID != "" {
		var there bool
		err := tx.QueryRow(ctx, "SELECT EXISTS (SELECT FROM public.compression_telemetry WHERE vm_id = $1)", pseudonym.NewHasher(secret).VMID(e.VMID)).Scan(&there)
		switch {
		case err != nil:
			l.trouble(err)
		case there:
			l.ok("the VM of --vm-id is there under this key")
		default:
			l.wrong(newID, "the VM of --vm-id is not in the table under this key: it is another key than the id %s stood for, or the VM never sent a decision", k.id)
		}
		return
	}
	used, err := readKeyUse(ctx, tx)
	if err != nil {
		l.trouble(err)
		return
	}
	written := fileTime(k.file)
	for _, u := range used {
		if u.id == k.id && written.After(u.first.Add(time.Hour)) {
			l.warn("make sure by a VM that has sent decisions: echo VM | dwcp-telemetry doctor --vm-id -; if it is another key, "+newID,
				"the key's file was written %s, but the table has decisions of the id %s from %s on", written.UTC().Format(time.DateTime), k.id, u.first.UTC().Format(time.DateTime))
			return
		}
	}
	if written.IsZero() {
		l.skip("a key in the environment has no age; --vm-id tells by a VM that has sent decisions")
		return
	}
	l.ok("the key's file is older than the first decisions of the id %s that were found", k.id)
}
