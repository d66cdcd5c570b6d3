package validate

// definition is what is known of a check before anything is read.
type definition struct {
	name     string
	severity Severity
	ok       string // what holds where nothing was found
	problem  string // what was found, without the number
	why      string
}

// definitions is THE list of checks, in the order they are reported.
var definitions = []definition{
	{"manifest", Error, "every file is what the manifest says", "contradictions of the manifest",
		"A model is trained on what the manifest proves, or on something else."},
	{"header", Error, "all columns are there, once", "columns that are missing or there twice",
		"The training script looks columns up by name."},
	{"records", Error, "there are records", "no record", "An empty file passes every other check."},
	{"rows", Error, "every row has a cell for each column", "rows that cannot be read", "A torn row means a torn file."},
	{"required", Error, "no required cell is empty", "required cells that are empty", "The table never holds such a row."},
	{"types", Error, "every cell is of its column's type", "cells of another type",
		"One word in a column of numbers makes pandas read all of it as text."},
	{"finite", Error, "no NaN and no Infinity", "cells that are NaN or Infinity",
		"Scaling spreads one of them over the whole column."},
	{"enums", Error, "every word is one of its column's", "words that their column does not have",
		"Another spelling becomes another category."},
	{"ranges", Error, "every value is in its column's range", "values outside their column's range",
		"The ranges are those of docs/event.md, which the table checks too."},
	{"duplicates", Error, "no decision is there twice", "decisions that are there twice",
		"A row in train and again in test is learned by heart."},
	{"label", Error, "the rule gives every label again", "labels that their rule does not give again",
		"A label is a function of the row; one that is not was changed or mixed up."},
	{"scores", Error, "utilities, flags, scores and weights follow from the row", "values that do not follow from their row",
		"Filters and weights go by them."},
	{"groups", Error, "no group is in two parts", "groups that are in two parts",
		"A model that has seen the VM scores too well on it."},
	{"raw_ids", Error, "nothing looks like a raw VM id", "cells that look like a raw VM id, MAC address or UUID",
		"VM ids leave the collector only as pseudonyms; a raw one is a leak."},
	{"candidates", Error, "as many training candidates as the milestone asks for", "candidates fewer than the milestone asks for",
		"The plan's milestones are 10,000, 50,000 and 100,000."},

	{"expiry", Warning, "the export has not expired", "the export has expired",
		"What the table forgets, its copies must forget too."},
	{"order", Warning, "rows are in order of time", "rows older than the one before", "A split by position is then no split by time."},
	{"pandas", Warning, "no text that pandas.read_csv takes for a missing value", "texts that pandas.read_csv takes for a missing value",
		"A region NA arrives as NaN."},
	{"missing", Warning, "few values are missing in every column", "columns with too many missing values",
		"The roadmap's gate; the script fills gaps in with medians."},
	{"outliers", Warning, "few outliers in every column", "columns with too many outliers",
		"The plan's fences. What is above 0 is judged on the logarithm: durations and sizes are skewed by nature."},
	{"balance", Warning, "both labels have their share, overall, per link type and per region", "groups in which a label has too small a share",
		"The plan's 30–70 %. Over all rows it can hold while every link type is one-sided."},
	{"coverage", Warning, "every link type, and every payload type on it, has enough rows", "link types or cells with too few rows",
		"The roadmap asks for each link type; a model guesses where it has seen nothing."},
	{"constant", Warning, "every feature varies", "features that never vary", "It tells the model nothing and may be a broken probe."},
	{"near_duplicates", Warning, "no two features say the same", "pairs of features that say the same",
		"Importance is then split between them by chance."},
	{"drift_weeks", Warning, "weeks resemble each other", "features that differ between weeks",
		"What was learned in one week may not hold in the next."},
	{"drift_regions", Warning, "regions resemble each other", "features that differ between regions",
		"What was learned in one region may not hold in another."},
	{"gaps", Warning, "no long silence", "long silences", "Collection stood still and nobody noticed."},
	{"freshness", Warning, "the newest decision is recent", "the newest decision is old", "Collection may have stopped."},
	{"ties", Warning, "few ties", "too many ties", "Where both ways are worth the same the label is a coin's."},
	{"near_zero_costs", Warning, "hardly any cost near zero", "too many costs near zero",
		"The 1e-6 in the plan's denominator then decides."},
	{"arms", Warning, "both algorithms were measured in most rows", "too many rows with one algorithm not measured",
		"Where one was not measured the label is a guess."},
	{"quality", Warning, "the mean quality score is high", "the mean quality score is low", "The roadmap's gate."},
	{"completeness", Warning, "hardly any decision was lost", "too many decisions were lost",
		"The roadmap's gate. Recorders number their decisions: a gap is a loss."},
	{"small_cells", Warning, "no small cell could single someone out", "cells so small that they could single someone out",
		"A region, link type and payload type that only one VM has names that VM."},
}
