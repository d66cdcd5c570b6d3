package export

import (
	_ "embed"
	"encoding/json"
	"fmt"

	"github.com/novacron/dwcp-telemetry/decision"
	"github.com/novacron/dwcp-telemetry/trainingset"
)

// croissantContext is the @context that Croissant 1.0 prescribes.
//
//go:embed croissant_context.json
var croissantContext json.RawMessage

type object = map[string]any

// renderCroissant describes the export in MLCommons Croissant 1.0: a FileObject
// for each file of rows, a RecordSet for each part, a Field for each column.
func renderCroissant(m *trainingset.Manifest) ([]byte, error) {
	var files, recordSets []any
	for _, f := range m.FilesOf("") {
		files = append(files, object{
			"@type": "cr:FileObject", "@id": f.Name, "name": f.Name, "contentUrl": f.Name,
			"contentSize": fmt.Sprintf("%d B", f.Bytes), "encodingFormat": mediaTypes[Format(f.Format)], "sha256": f.SHA256,
		})
	}
	if m.Split.By != string(SplitNone) {
		recordSets = append(recordSets, splitRecordSet(m))
	}
	for i := range m.Parts {
		recordSets = append(recordSets, recordSet(m, &m.Parts[i]))
	}
	content, err := json.MarshalIndent(object{
		"@context": croissantContext, "@type": "sc:Dataset", "conformsTo": "http://mlcommons.org/croissant/1.0",
		"name": datasetName(m), "description": description(m), "license": licence, "version": "1.0.0",
		"datePublished": m.Query.To.Format("2006-01-02"), "creator": object{"@type": "sc:Organization", "name": "NovaCron"},
		"url":           "https://github.com/novacron/dwcp-telemetry",
		"keywords":      []string{"DWCP", "HDE", "AMST", "compression", "network transfer"},
		"citeAs":        fmt.Sprintf("NovaCron, DWCP compression decisions, %s to %s", dateText(m.Oldest), dateText(m.Newest)),
		"isLiveDataset": false, "distribution": files, "recordSet": recordSets,
	}, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("write %s: %w", trainingset.CroissantName, err)
	}
	return append(content, '\n'), nil
}

var mediaTypes = map[Format]string{CSV: "text/csv", Parquet: "application/x-parquet"}

// croissantTypes are the types of schema.org.
var croissantTypes = map[string]string{
	decision.KindText.String(): "sc:Text", decision.KindInt.String(): "sc:Integer", decision.KindFloat.String(): "sc:Float",
	decision.KindBool.String(): "sc:Boolean", decision.KindTime.String(): "sc:DateTime", decision.KindFlagSet.String(): "sc:Text",
}

func recordSet(m *trainingset.Manifest, part *trainingset.Part) object {
	file := m.FilesOf(part.Name)[0]
	var fields []any
	for _, c := range m.Columns {
		text := c.Meaning
		if c.Unit != "" {
			text += " (" + c.Unit + ")"
		}
		fields = append(fields, object{
			"@type": "cr:Field", "@id": part.Name + "/" + c.Name, "name": c.Name, "description": text,
			"dataType": croissantTypes[c.Type],
			"source":   object{"fileObject": object{"@id": file.Name}, "extract": object{"column": c.Name}},
		})
	}
	return object{"@type": "cr:RecordSet", "@id": part.Name, "name": part.Name,
		"description": fmt.Sprintf("%d decisions", part.Rows), "field": fields}
}

// splitRecordSet says which part is which.
func splitRecordSet(m *trainingset.Manifest) object {
	kinds := map[string]string{"train": "cr:TrainingSplit", "validation": "cr:ValidationSplit", "test": "cr:TestSplit"}
	var data []any
	for _, part := range m.Parts {
		data = append(data, object{"split/name": part.Name, "split/url": kinds[part.Name]})
	}
	field := func(name, dataType string) object {
		return object{"@type": "cr:Field", "@id": "split/" + name, "name": name, "dataType": dataType}
	}
	return object{"@type": "cr:RecordSet", "@id": "split", "name": "split", "dataType": "cr:Split",
		"key": object{"@id": "split/name"}, "data": data, "field": []any{field("name", "sc:Text"), field("url", "sc:URL")}}
}
