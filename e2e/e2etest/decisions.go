package e2etest

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"math/rand/v2"
	"time"

	"github.com/google/uuid"

	"github.com/novacron/dwcp-telemetry/decision"
	"github.com/novacron/dwcp-telemetry/decision/decisiontest"
	"github.com/novacron/dwcp-telemetry/internal/oracle"
)

// Decisions returns n valid decisions as DWCP makes them, of the last hour, each
// as [Decision] makes it.
func Decisions(n int) []decision.Decision {
	random := rand.New(rand.NewPCG(1, 2))
	now := time.Now()
	all := make([]decision.Decision, n)
	for i := range all {
		all[i] = Decision(random, now, i)
	}
	return all
}

// Decision returns the i-th valid decision, of the hour before now: every field
// set that an emitter sets, ids of its own, with values that differ.
func Decision(random *rand.Rand, now time.Time, i int) decision.Decision {
	d := unlabelled
	d.Timestamp = now.UTC().Add(-time.Duration(random.Int64N(int64(time.Hour)))).Truncate(time.Microsecond)
	d.VMID, d.RequestID = "vm-"+uuid.NewString(), uuid.NewString()
	d.EventID = decision.UUID(uuid.Must(uuid.NewV7()))
	d.LinkType = []decision.LinkType{decision.DC, decision.Metro, decision.WAN, decision.Edge}[i%4]
	d.NetworkTier, d.PayloadBytes = int64(1+i%3), 1+random.Int64N(1<<53-1)
	d.BandwidthAvailableMbps, d.BandwidthUtilization, d.RTTMillis = 10+1e4*random.Float64(), 100*random.Float64(), 200*random.Float64()
	d.HasBaseline = i%2 == 0
	d.HDECompressionRatio.Value, d.HDELatencyMillis.Value, d.HDECPUUsage.Value = 1+10*random.Float64(), 1+random.Float64(), 1+99*random.Float64()
	d.AMSTTransferRateMbps.Value, d.AMSTLatencyMillis.Value, d.AMSTCPUUsage.Value = 10*random.Float64(), 1+100*random.Float64(), 1+99*random.Float64()
	return d
}

// unlabelled has all that an emitter sets and nothing that the collector does.
var unlabelled = func() decision.Decision {
	d := decisiontest.Full()
	d.VMKeyID, d.QualityFlags = decision.Opt[string]{}, 0
	for i := range decision.Fields() {
		f := &decision.Fields()[i]
		if f.Role == decision.RoleLabel || f.Role == decision.RoleQuality {
			Unset(f, &d)
		}
	}
	return d
}()

// Unset makes one field missing.
func Unset(field *decision.Field, d *decision.Decision) {
	var kept decision.Decision
	for i := range decision.Fields() {
		f := &decision.Fields()[i]
		if v, ok := f.Value(d); ok && f.Column != field.Column {
			if problem := f.Decode(v, &kept); problem != nil {
				panic(problem)
			}
		}
	}
	*d = kept
}

// Pseudonym is what the table holds instead of a VM id.
func Pseudonym(vmID string) string {
	key, err := hex.DecodeString(VMIDKey)
	if err != nil {
		panic(err)
	}
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(vmID))
	return hex.EncodeToString(mac.Sum(nil))
}

// Stored is what the table holds of a decision that was sent, the time that
// labelling took apart.
func Stored(d decision.Decision) decision.Decision {
	d.VMID, d.VMKeyID = Pseudonym(d.VMID), decision.Some("k1")
	if err := oracle.Plan.Label(&d); err != nil {
		panic(err)
	}
	return d
}

// Native is a field's value as pgx returns it from a column of its type.
func Native(f *decision.Field, d *decision.Decision) any {
	v, ok := f.Value(d)
	if !ok {
		return nil
	}
	switch f.Kind {
	case decision.KindInt:
		if f.SQLType == "integer" {
			return int32(v.Int())
		}
		return v.Int()
	case decision.KindFloat:
		return v.Float()
	case decision.KindBool:
		return v.Bool()
	case decision.KindTime:
		return v.Time().Local()
	case decision.KindID:
		id, err := decision.ParseUUID(v.Text())
		if err != nil {
			panic(err)
		}
		return [16]byte(id)
	case decision.KindFlagSet:
		var names []any
		for _, name := range v.Flags().Names() {
			names = append(names, name)
		}
		return names
	}
	return v.Text()
}
