package dashboard

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestThePageInABrowser(t *testing.T) {
	t.Parallel()
	url, admin := database(t)
	run(t, admin, aMonth...)
	server := serve(t, testConfig(url))
	b := openTab(t, browser(t), server.url)
	for _, colours := range []string{"light", "dark"} {
		for _, width := range []int64{360, 1280} {
			b.show(t, width, scheme(colours))
			b.picture(t, colours+map[int64]string{360: "-phone", 1280: "-desktop"}[width])
		}
	}
	require.Empty(t, b.complaints, server.log.String())
}
