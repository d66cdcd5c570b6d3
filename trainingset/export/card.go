package export

import (
	"bytes"
	_ "embed"
	"fmt"
	"maps"
	"slices"
	"strings"
	"text/template"
	"time"

	"github.com/novacron/dwcp-telemetry/trainingset"
)

// licence of the rows: they are of whoever runs DWCP.
const licence = "other"

//go:embed card.md.tmpl
var cardText string

var cardTemplate = template.Must(template.New("card").Funcs(template.FuncMap{
	"date": dateText, "time": formatTime, "percent": percent, "size": sizeCategory, "cell": cellText, "balance": balanceText,
	"name": datasetName, "describe": description, "none": orNone, "join": strings.Join, "command": commandLine, "nulls": nullsText,
}).Parse(cardText))

// renderCard writes the dataset card. It holds nothing that differs between two
// exports of the same rows.
func renderCard(m *trainingset.Manifest) ([]byte, error) {
	var b bytes.Buffer
	if err := cardTemplate.Execute(&b, m); err != nil {
		return nil, fmt.Errorf("write %s: %w", trainingset.CardName, err)
	}
	return b.Bytes(), nil
}

func datasetName(m *trainingset.Manifest) string {
	return "dwcp-decisions-" + m.Query.To.Format("20060102")
}

func description(m *trainingset.Manifest) string {
	return fmt.Sprintf("%d decisions of DWCP between HDE (compress) and AMST (parallel streams), made from %s to %s, "+
		"with what was known before each and the algorithm that an offline oracle would have chosen.",
		m.Rows, dateText(m.Oldest), dateText(m.Newest))
}

func dateText(t time.Time) string {
	if t.IsZero() {
		return "-"
	}
	return t.UTC().Format("2006-01-02")
}

func percent(part, whole int64) string {
	if whole == 0 {
		return "-"
	}
	return fmt.Sprintf("%.1f %%", 100*float64(part)/float64(whole))
}

// sizeCategory is one of those that dataset hubs sort by.
func sizeCategory(rows int64) string {
	limits := []struct {
		below int64
		name  string
	}{{1e3, "n<1K"}, {1e4, "1K<n<10K"}, {1e5, "10K<n<100K"}, {1e6, "100K<n<1M"}, {1e7, "1M<n<10M"}}
	for _, l := range limits {
		if rows < l.below {
			return l.name
		}
	}
	return "10M<n<100M"
}

// nullsText says how many values of a column are missing, part by part.
func nullsText(c trainingset.ManifestColumn) string {
	var parts []string
	for _, part := range slices.Sorted(maps.Keys(c.Nulls)) {
		parts = append(parts, fmt.Sprintf("%d in %s", c.Nulls[part], part))
	}
	return strings.Join(parts, ", ")
}

// cellText keeps a text from ending its cell of a table.
func cellText(text string) string {
	return strings.NewReplacer("|", `\|`, "\n", " ").Replace(text)
}

func balanceText(b trainingset.Balance) (string, error) {
	var text strings.Builder
	err := b.WriteText(&text)
	return strings.TrimRight(text.String(), "\n"), err
}

// commandLine quotes what a shell would take apart.
func commandLine(args []string) string {
	quoted := make([]string, len(args))
	for i, arg := range args {
		quoted[i] = arg
		if strings.ContainsFunc(arg, func(r rune) bool {
			return !strings.ContainsRune("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_=./:,+", r)
		}) {
			quoted[i] = "'" + strings.ReplaceAll(arg, "'", `'\''`) + "'"
		}
	}
	return strings.Join(quoted, " ")
}
