package doctor

import (
	"context"
	_ "embed"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"
)

var (
	//go:embed sql/login.sql
	loginSQL string
	//go:embed sql/needed.sql
	neededSQL string
	//go:embed sql/powers.sql
	powersSQL string
	//go:embed sql/public.sql
	publicSQL string
)

// login is who one is in the database.
type login struct {
	Name, Session                       string
	Super, CreateRole, CreateDB         bool
	Replication, BypassRLS              bool
	Roles                               []string // of ours, that the login is a member of
	Inherits                            []string // of those, whose privileges it has without SET ROLE
	OwnsDatabase, OwnsTable, RolesExist bool
	Predefined                          []string // PostgreSQL's own roles
}

func readLogin(ctx context.Context, tx pgx.Tx) (w login, err error) {
	err = tx.QueryRow(ctx, loginSQL).Scan(&w.Name, &w.Session, &w.Super, &w.CreateRole, &w.CreateDB, &w.Replication, &w.BypassRLS,
		&w.Roles, &w.Inherits, &w.OwnsDatabase, &w.OwnsTable, &w.RolesExist, &w.Predefined)
	return w, err
}

func (w *login) text() string {
	roles := "none of our roles"
	if len(w.Roles) > 0 {
		roles = strings.Join(w.Roles, ", ")
	}
	return fmt.Sprintf("%s, with %s", w.Name, roles)
}

// lookAtPurpose names each privilege that the purpose takes and the login lacks.
func (c *connection) lookAtPurpose(ctx context.Context, l *look, tx pgx.Tx) {
	who, err := readLogin(ctx, tx)
	if err != nil {
		l.trouble(err)
		return
	}
	if !who.RolesExist {
		l.wrong("DWCP_DATABASE_URL=postgres://OWNER@… dwcp-telemetry migrate up", "the roles of this project are not there: the migrations make them")
		return
	}
	rows, err := tx.Query(ctx, neededSQL, string(c.purpose))
	if err != nil {
		l.trouble(err)
		return
	}
	missing, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		l.trouble(err)
		return
	}
	if len(missing) > 0 {
		l.wrong(fmt.Sprintf("GRANT %s TO %s; and where that does not help: dwcp-telemetry migrate up", roleOf[c.purpose], pgx.Identifier{who.Name}.Sanitize()),
			"%s, as %s lacks: %s", who.text(), c.purpose, strings.Join(missing, ", "))
		return
	}
	l.ok("%s, has all that a %s needs", who.text(), c.purpose)
}

// lookAtExcess names what a login that is stolen could do beyond its purpose.
func (c *connection) lookAtExcess(ctx context.Context, l *look, tx pgx.Tx) {
	who, err := readLogin(ctx, tx)
	if err != nil {
		l.trouble(err)
		return
	}
	own := fmt.Sprintf("CREATE ROLE %s_only LOGIN PASSWORD '…'; GRANT %s TO %[1]s_only; and use that login", c.purpose, roleOf[c.purpose])
	if c.purpose == Owner {
		if who.Super {
			l.info("CREATE ROLE dba LOGIN CREATEROLE PASSWORD '…'; GRANT dwcp_owner TO dba", "%s is a superuser; to migrate, CREATEROLE and the database's ownership are enough", who.Name)
		}
		return
	}
	if who.Super {
		l.wrong(own, "%s is a superuser: no privilege holds it", who.Name)
		return
	}
	if who.inherits("dwcp_owner") || who.OwnsTable || who.OwnsDatabase {
		l.wrong(own, "%s owns the tables or the database, by itself or by a role it inherits from: it may drop them", who.Name)
	}
	for _, p := range []struct {
		has  bool
		what string
	}{{who.CreateRole, "CREATEROLE"}, {who.CreateDB, "CREATEDB"}, {who.Replication, "REPLICATION"}, {who.BypassRLS, "BYPASSRLS"}} {
		if p.has {
			l.warn(fmt.Sprintf("ALTER ROLE %s NO%s", pgx.Identifier{who.Name}.Sanitize(), p.what), "%s has %s", who.Name, p.what)
		}
	}
	if len(who.Predefined) > 0 {
		l.warn(fmt.Sprintf("REVOKE %s FROM %s", strings.Join(who.Predefined, ", "), pgx.Identifier{who.Name}.Sanitize()),
			"%s is a member of %s", who.Name, strings.Join(who.Predefined, ", "))
	}
	c.lookAtPowers(ctx, l, tx, &who)
}

func (w *login) inherits(role string) bool {
	for _, each := range w.Inherits {
		if each == role {
			return true
		}
	}
	return false
}

// lookAtPowers looks for privileges of other purposes.
func (c *connection) lookAtPowers(ctx context.Context, l *look, tx pgx.Tx, who *login) {
	rows, err := tx.Query(ctx, powersSQL, string(c.purpose))
	if err != nil {
		l.trouble(err)
		return
	}
	powers, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		l.trouble(err)
		return
	}
	if len(powers) > 0 {
		l.warn(fmt.Sprintf("take it from %s by REVOKE, roles of other purposes first", pgx.Identifier{who.Name}.Sanitize()),
			"%s may do more than a %s needs: %s", who.Name, c.purpose, strings.Join(powers, ", "))
	}
	if len(l.found) == 0 {
		l.ok("%s may do no more than that", who.Name)
	}
}

func (c *connection) lookAtPublic(ctx context.Context, l *look, tx pgx.Tx) {
	rows, err := tx.Query(ctx, publicSQL)
	if err != nil {
		l.trouble(err)
		return
	}
	var object, privilege, revoke string
	_, err = pgx.ForEachRow(rows, []any{&object, &privilege, &revoke}, func() error {
		l.wrong(revoke, "every login has %s on %s", privilege, object)
		return nil
	})
	l.trouble(err)
	if len(l.found) == 0 {
		l.ok("nothing is granted to PUBLIC")
	}
}
