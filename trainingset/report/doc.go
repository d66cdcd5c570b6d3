// Package report makes a page of what package validate found: one HTML file
// that needs nothing else, no network, no font, no script.
//
// Charts are SVG made here; behind each one is a table with its numbers. The
// page follows the reader's light or dark colours, fits a phone and prints.
package report
