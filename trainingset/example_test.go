package trainingset_test

import (
	"context"
	"fmt"
	"log"

	"github.com/novacron/dwcp-telemetry/internal/oracle"
	"github.com/novacron/dwcp-telemetry/trainingset"
)

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
