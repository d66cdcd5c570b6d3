package sample

import (
	"bufio"
	"errors"
	"fmt"
	"io"
)

// maxLine bounds one decision; a real one has about 900 bytes.
const maxLine = 1 << 20

var errLong = fmt.Errorf("is longer than %d bytes", maxLine)

// lineReader reads lines of at most maxLine bytes and gets past longer ones.
type lineReader struct {
	in     *bufio.Reader
	number int // of the line read last, from 1
	line   []byte
}

func newLineReader(r io.Reader) *lineReader { return &lineReader{in: bufio.NewReaderSize(r, 1<<16)} }

// next returns the next line, which holds until the one after it is read. After
// errLong reading can go on; after any other error, io.EOF among them, it cannot.
func (l *lineReader) next() ([]byte, error) {
	l.number++
	l.line = l.line[:0]
	size := 0
	for {
		part, err := l.in.ReadSlice('\n')
		if size += len(part); size <= maxLine {
			l.line = append(l.line, part...)
		}
		switch {
		case errors.Is(err, bufio.ErrBufferFull):
		case errors.Is(err, io.EOF) && size == 0:
			return nil, io.EOF
		case err != nil && !errors.Is(err, io.EOF):
			return nil, err
		case size > maxLine:
			return nil, errLong
		default:
			return l.line, nil
		}
	}
}
