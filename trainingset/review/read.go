package review

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
)

// Agreement is what came of a review.
type Agreement struct {
	Overall    Counts             `json:"overall"`
	ByLinkType map[string]*Counts `json:"by_link_type"`
	Threshold  float64            `json:"threshold"` // which the share must lie above
	// Disputed are the rows on which human and oracle do not agree.
	Disputed []Disputed `json:"disputed"`
}

// Counts are rows of one kind. Share is of those judged, with its 95 % interval
// (Wilson); 0 where none was.
type Counts struct {
	Judged int     `json:"judged"`
	Agreed int     `json:"agreed"`
	Unsure int     `json:"unsure"` // said to be undecidable
	Open   int     `json:"open"`   // not judged yet
	Share  float64 `json:"share"`
	Low    float64 `json:"low"`
	High   float64 `json:"high"`
}

// Disputed is a row that was judged otherwise.
type Disputed struct {
	Labelled
	Judgement string `json:"judgement"`
	Comment   string `json:"comment,omitempty"`
}

// Passed reports that human and oracle agree on more than was asked for.
func (a *Agreement) Passed() bool { return a.Overall.Judged > 0 && a.Overall.Share > a.Threshold }

// ErrNotJudged is the error for a sheet without any judgement.
var ErrNotJudged = errors.New("nobody has judged any row yet: the column judgement takes HDE, AMST or unsure")

// Read holds the judgements of a sheet against the labels of its key.
func Read(path string, threshold float64) (*Agreement, error) {
	key, err := readKey(KeyPath(path))
	if err != nil {
		return nil, fmt.Errorf("read the review %s: %w", path, err)
	}
	rows, err := readSheet(path)
	if err != nil {
		return nil, fmt.Errorf("read the review %s: %w", path, err)
	}
	a := &Agreement{Threshold: threshold, ByLinkType: map[string]*Counts{}, Disputed: []Disputed{}}
	judgements := map[int]judged{}
	for _, r := range rows {
		number, err := strconv.Atoi(r.row)
		_, twice := judgements[number]
		if err != nil || number < 1 || number > len(key.Rows) || twice {
			return nil, fmt.Errorf("read the review %s: row: must be each of 1..%d once, got %q", path, len(key.Rows), r.row)
		}
		judgements[number] = r
	}
	for _, l := range key.Rows {
		if err := a.add(l, judgements[l.Row]); err != nil {
			return nil, fmt.Errorf("read the review %s: row %d: %w", path, l.Row, err)
		}
	}
	if a.Overall.Judged+a.Overall.Unsure == 0 {
		return nil, fmt.Errorf("read the review %s: %w", path, ErrNotJudged)
	}
	a.Overall.estimate()
	for _, c := range a.ByLinkType {
		c.estimate()
	}
	return a, nil
}

func readKey(path string) (*Key, error) {
	content, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	key := &Key{}
	if err := json.Unmarshal(content, key); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	if key.Format != keyFormat {
		return nil, fmt.Errorf("%s: format: must be %s, got %q", path, keyFormat, key.Format)
	}
	for i, l := range key.Rows {
		if l.Row != i+1 {
			return nil, fmt.Errorf("%s: rows: must be numbered 1..%d, got %d", path, len(key.Rows), l.Row)
		}
	}
	return key, nil
}

func (a *Agreement) add(l Labelled, j judged) error {
	of := a.ByLinkType[l.LinkType]
	if of == nil {
		of = &Counts{}
		a.ByLinkType[l.LinkType] = of
	}
	judgement := strings.ToUpper(j.judgement)
	for _, c := range []*Counts{&a.Overall, of} {
		switch judgement {
		case "":
			c.Open++
		case "UNSURE", "?":
			c.Unsure++
		case "HDE", "AMST":
			c.Judged++
			if judgement == l.Label {
				c.Agreed++
			}
		default:
			return fmt.Errorf("judgement: must be HDE, AMST, unsure or empty, got %q", j.judgement)
		}
	}
	if (judgement == "HDE" || judgement == "AMST") && judgement != l.Label {
		a.Disputed = append(a.Disputed, Disputed{l, judgement, j.comment})
	}
	return nil
}
