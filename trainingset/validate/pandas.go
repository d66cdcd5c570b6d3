package validate

// missingWords are what pandas.read_csv takes for a missing value unless told
// otherwise (pandas._libs.parsers.STR_NA_VALUES), the empty cell apart.
var missingWords = map[string]bool{
	"#N/A": true, "#N/A N/A": true, "#NA": true, "-1.#IND": true, "-1.#QNAN": true, "-NaN": true,
	"-nan": true, "1.#IND": true, "1.#QNAN": true, "<NA>": true, "N/A": true, "NA": true, "NULL": true,
	"NaN": true, "None": true, "n/a": true, "nan": true, "null": true,
}

func readAsMissing(cell string) bool { return missingWords[cell] }
