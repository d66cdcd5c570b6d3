package trainingset

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestAgeIsAWholeNumberAndAUnit(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]time.Duration{
		"1s":      time.Second,
		"90m":     90 * time.Minute,
		"12h":     12 * time.Hour,
		"30d":     720 * time.Hour,
		"2w":      336 * time.Hour,
		"106751d": 106751 * 24 * time.Hour,
	} {
		age, err := ParseAge(text)
		require.NoError(t, err, text)
		require.Equal(t, want, age, text)
	}
}

func TestAgeTextIsReadBack(t *testing.T) {
	t.Parallel()
	for age, want := range map[time.Duration]string{0: "0", time.Hour: "1h", 90 * day: "90d", 36 * time.Hour: "36h", 90 * time.Second: "90s", 2 * time.Minute: "2m"} {
		require.Equal(t, want, AgeText(age))
		if age > 0 {
			again, err := ParseAge(want)
			require.NoError(t, err)
			require.Equal(t, age, again)
		}
	}
}

func TestWrongAgeSaysWhatIsRight(t *testing.T) {
	t.Parallel()
	const form = "must be a whole number and a unit (s, m, h, d or w), like 30d"
	for text, rule := range map[string]string{
		"":                      form,
		"d":                     form,
		"30":                    form,
		"30 d":                  form,
		"-30d":                  form,
		"+30d":                  form,
		"1.5d":                  form,
		"3months":               form,
		"1M":                    form,
		"0d":                    "must be more than 0",
		"106752d":               "must be at most 292 years",
		"99999999999999999999w": "must be at most 292 years",
	} {
		_, err := ParseAge(text)
		var wrong *OptionError
		require.ErrorAs(t, err, &wrong, text)
		require.Equal(t, OptionError{Option: "age", Value: text, Rule: rule}, *wrong)
	}
}

func TestOptionErrorNamesOptionRuleAndValue(t *testing.T) {
	t.Parallel()
	_, err := ParseAge("soon")
	require.EqualError(t, err, `age: must be a whole number and a unit (s, m, h, d or w), like 30d, got "soon"`)
}

func FuzzParsedAgeIsPositive(f *testing.F) {
	for _, text := range []string{"30d", "0s", "-1h", "9223372036854775807s", "w"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if age, err := ParseAge(text); err == nil && age <= 0 {
			t.Errorf("%q is an age of %s", text, age)
		}
	})
}

func ExampleParseAge() {
	age, err := ParseAge("2w")
	fmt.Println(age, err)
	_, err = ParseAge("a month")
	fmt.Println(err)
	// Output:
	// 336h0m0s <nil>
	// age: must be a whole number and a unit (s, m, h, d or w), like 30d, got "a month"
}
