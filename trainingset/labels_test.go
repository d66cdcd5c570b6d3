package trainingset

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestBalanceAddsUpOverLinkTypes(t *testing.T) {
	t.Parallel()
	b := Balance{}
	b.Add("dc", "HDE", 3)
	b.Add("dc", "AMST", 1)
	b.Add("wan", "HDE", 2)
	b.Add("dc", "HDE", 1)
	require.Equal(t, Balance{"dc": {HDE: 4, AMST: 1}, "wan": {HDE: 2}}, b)
	require.Equal(t, Labels{HDE: 6, AMST: 1}, b.Overall())
	require.EqualValues(t, 7, b.Overall().Total())
}

func TestShareOfNothingIsZero(t *testing.T) {
	t.Parallel()
	require.Zero(t, Labels{}.HDEShare())
	require.Zero(t, Balance{}.Overall().HDEShare())
	require.Equal(t, 0.25, Labels{HDE: 1, AMST: 3}.HDEShare())
}

func TestLinkTypesAreThoseOfTheEvent(t *testing.T) {
	t.Parallel()
	require.Equal(t, []string{"dc", "metro", "wan", "edge"}, linkTypes())
}

func TestBalanceNamesTheLabelsInJSON(t *testing.T) {
	t.Parallel()
	encoded, err := json.Marshal(Balance{"wan": {HDE: 2, AMST: 1}})
	require.NoError(t, err)
	require.JSONEq(t, `{"wan":{"HDE":2,"AMST":1}}`, string(encoded))
}
