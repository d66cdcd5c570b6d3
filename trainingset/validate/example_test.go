package validate_test

import (
	"context"
	"fmt"
	"log"

	"github.com/novacron/dwcp-telemetry/internal/oracle"
	"github.com/novacron/dwcp-telemetry/trainingset/validate"
)

// A file with a broken cell does not pass, and the report says where it is.
func ExamplePath() {
	report, err := validate.Path(context.Background(), "testdata/broken.csv", validate.Options{Rule: oracle.Plan})
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
