package doctor

import (
	"net/url"
	"strings"
)

// setting is what a connection string says of one word, "" where it does not.
// pgx keeps neither sslmode nor the names of files.
func setting(dsn, word string) string {
	if strings.HasPrefix(dsn, "postgres://") || strings.HasPrefix(dsn, "postgresql://") {
		address, err := url.Parse(dsn)
		if err != nil {
			return passwordOfUnparsable(dsn, word)
		}
		if password, ok := address.User.Password(); ok && word == "password" {
			return password
		}
		return address.Query().Get(word)
	}
	for name, value := range keywords(dsn) {
		if name == word {
			return value
		}
	}
	return ""
}

// passwordOfUnparsable finds what must stay hidden in a URL that is none.
func passwordOfUnparsable(dsn, word string) string {
	_, rest, _ := strings.Cut(dsn, "://")
	at := strings.LastIndex(rest, "@")
	if word != "password" || at < 0 {
		return ""
	}
	_, password, _ := strings.Cut(rest[:at], ":")
	return password
}

const space = " \t\n\v\f\r"

// keywords reads libpq's keyword=value form; values may be in single quotes, and
// a backslash takes what follows as it is.
func keywords(dsn string) map[string]string {
	all := map[string]string{}
	for rest := strings.TrimSpace(dsn); rest != ""; rest = strings.TrimSpace(rest) {
		name, value, found := strings.Cut(rest, "=")
		if !found {
			break
		}
		var text strings.Builder
		value = strings.TrimLeft(value, space)
		quoted := strings.HasPrefix(value, "'")
		i := 0
		if quoted {
			i = 1
		}
		for ; i < len(value); i++ {
			if value[i] == '\\' && i+1 < len(value) {
				i++
			} else if quoted && value[i] == '\'' || !quoted && strings.IndexByte(space, value[i]) >= 0 {
				break
			}
			text.WriteByte(value[i])
		}
		all[strings.TrimSpace(name)] = text.String()
		rest = value[min(i+1, len(value)):]
	}
	return all
}
