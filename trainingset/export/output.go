package export

import (
	"bufio"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"os"
	"path/filepath"

	"github.com/novacron/dwcp-telemetry/trainingset"
)

// output is one file under way: buffered, hashed, readable by its owner alone.
type output struct {
	file     *os.File
	buffered *bufio.Writer
	hash     hash.Hash
	bytes    int64
}

func createOutput(dir, name string) (*output, error) {
	file, err := os.OpenFile(filepath.Join(dir, name), os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, fmt.Errorf("create %s: %w", name, err)
	}
	o := &output{file: file, hash: sha256.New()}
	o.buffered = bufio.NewWriterSize(counted{o}, 256<<10)
	return o, nil
}

// counted is the output behind its buffer.
type counted struct{ *output }

func (c counted) Write(p []byte) (int, error) {
	n, err := c.file.Write(p)
	c.hash.Write(p[:n])
	c.bytes += int64(n)
	return n, err
}

func (o *output) Write(p []byte) (int, error) { return o.buffered.Write(p) }

// finish syncs and closes the file, and says what it is.
func (o *output) finish() (bytes int64, sum string, err error) {
	err = errors.Join(o.buffered.Flush(), o.file.Sync(), o.file.Close())
	if err != nil {
		return 0, "", fmt.Errorf("write %s: %w", filepath.Base(o.file.Name()), err)
	}
	return o.bytes, hex.EncodeToString(o.hash.Sum(nil)), nil
}

// abandon closes the file where something went wrong; finish may have before.
func (o *output) abandon() { _ = o.file.Close() }

// rowFile writes rows in some format.
type rowFile interface {
	// write takes those rows of the batch that are of the file's part.
	write(b *batch, rows []int) error
	// close writes what is still missing, but does not close the output.
	close() error
}

// formats are the ways to write rows.
var formats = map[Format]func(io.Writer, []column) (rowFile, error){CSV: newCSVFile, Parquet: newParquetFile}

// partFiles are the files of one format, a file for each part.
type partFiles struct {
	format Format
	names  []string // of the parts
	out    []*output
	files  []rowFile
	counts []int64
	chosen []int
}

func createPartFiles(dir string, format Format, parts []string, columns []column) (*partFiles, error) {
	p := &partFiles{format: format, names: parts, counts: make([]int64, len(parts))}
	for _, part := range parts {
		out, err := createOutput(dir, part+"."+string(format))
		if err != nil {
			p.abandon()
			return nil, err
		}
		p.out = append(p.out, out)
		file, err := formats[format](out, columns)
		if err != nil {
			p.abandon()
			return nil, fmt.Errorf("begin %s: %w", filepath.Base(out.file.Name()), err)
		}
		p.files = append(p.files, file)
	}
	return p, nil
}

func (p *partFiles) abandon() {
	for _, out := range p.out {
		out.abandon()
	}
}

// write is a sink's.
func (p *partFiles) write(b *batch) error {
	for part, file := range p.files {
		p.chosen = p.chosen[:0]
		for row := range b.rows {
			if int(b.part[row]) == part {
				p.chosen = append(p.chosen, row)
			}
		}
		if len(p.chosen) == 0 {
			continue
		}
		p.counts[part] += int64(len(p.chosen))
		if err := file.write(b, p.chosen); err != nil {
			return fmt.Errorf("write %s.%s: %w", p.names[part], p.format, err)
		}
	}
	return nil
}

// finish completes the files and describes them.
func (p *partFiles) finish() ([]trainingset.File, error) {
	var files []trainingset.File
	for i, file := range p.files {
		name := p.names[i] + "." + string(p.format)
		if err := file.close(); err != nil {
			return nil, fmt.Errorf("finish %s: %w", name, err)
		}
		bytes, sum, err := p.out[i].finish()
		if err != nil {
			return nil, err
		}
		files = append(files, trainingset.File{Name: name, Format: string(p.format), Part: p.names[i], Rows: p.counts[i], Bytes: bytes, SHA256: sum})
	}
	return files, nil
}

// createFiles creates the files of every format.
func createFiles(dir string, o *Options, columns []column) (all []*partFiles, err error) {
	for _, format := range o.Formats {
		files, err := createPartFiles(dir, format, o.parts(), columns)
		if err != nil {
			return all, err
		}
		all = append(all, files)
	}
	return all, nil
}

func finishAll(all []*partFiles) (described []trainingset.File, err error) {
	for _, files := range all {
		finished, err := files.finish()
		if err != nil {
			return nil, err
		}
		described = append(described, finished...)
	}
	return described, nil
}

func abandonAll(all []*partFiles) {
	for _, files := range all {
		files.abandon()
	}
}
