package export_test

import (
	"context"
	"log"
	"os"

	"github.com/jackc/pgx/v5"

	"github.com/novacron/dwcp-telemetry/trainingset"
	"github.com/novacron/dwcp-telemetry/trainingset/export"
)

// Export the plan's rows of the last two weeks, split by VM and session, with
// the features that are known before the choice, and say what they are.
func ExampleRun() {
	ctx := context.Background()
	conn, err := pgx.Connect(ctx, os.Getenv("DWCP_DATABASE_URL"))
	if err != nil {
		log.Fatal(err)
	}
	defer conn.Close(ctx)

	options := export.DefaultOptions()
	options.Columns, options.Split = trainingset.PlanPrior, export.SplitGroup
	options.Formats = []export.Format{export.CSV, export.Parquet}
	if options.Since, err = trainingset.ParseAge("2w"); err != nil {
		log.Fatal(err)
	}
	result, err := export.Run(ctx, conn, "data/dwcp_training", options)
	if err != nil {
		log.Fatal(err)
	}
	if err := result.WriteText(os.Stdout); err != nil {
		log.Fatal(err)
	}
}
