package trainingset_test

import (
	"context"
	"fmt"
	"log"
	"os"

	"github.com/jackc/pgx/v5"

	"github.com/novacron/dwcp-telemetry/internal/oracle"
	"github.com/novacron/dwcp-telemetry/trainingset"
)

// Export the plan's rows of the last two weeks and say what they are.
func ExampleExport() {
	ctx := context.Background()
	conn, err := pgx.Connect(ctx, os.Getenv("DWCP_DATABASE_URL"))
	if err != nil {
		log.Fatal(err)
	}
	defer conn.Close(ctx)

	options := trainingset.DefaultExportOptions()
	if options.Since, err = trainingset.ParseAge("2w"); err != nil {
		log.Fatal(err)
	}
	result, err := trainingset.Export(ctx, conn, "data/dwcp_training", options)
	if err != nil {
		log.Fatal(err)
	}
	if err := result.WriteText(os.Stdout); err != nil {
		log.Fatal(err)
	}
}

// A file with a broken cell does not pass, and the report says where it is.
func ExampleValidate() {
	report, err := trainingset.Validate(context.Background(), "testdata/broken.csv", trainingset.ValidateOptions{Rule: oracle.Plan})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("passed:", report.Passed())
	for _, sample := range report.Check("ranges").Samples {
		fmt.Println(sample)
	}
	// Output:
	// passed: false
	// line 3: hde_cpu_usage must be 0..100, got 163.5
}
