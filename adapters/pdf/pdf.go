// Package pdf writes reports as PDF, a table over many pages.
//
// A document is made in parts of some two thousand rows, which end where a
// page ends, and merged: in one piece it would need six times the memory.
package pdf

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"slices"

	"github.com/pdfcpu/pdfcpu/pkg/api"
	"github.com/pdfcpu/pdfcpu/pkg/pdfcpu/model"
	"github.com/pdfcpu/pdfcpu/pkg/pdfcpu/types"

	"bailiwick.dev/domain/fault"
	"bailiwick.dev/domain/report"
)

const (
	// maxRows bounds the memory: all parts are read to be merged. It is a
	// thousand pages and more, which nobody prints.
	maxRows  = 50_000
	partRows = 2000
	maxLines = 40 // of a cell; more would not fit on a page
	// maxNeighbours bounds the characters of a part that follow one another in
	// Unicode: the writer takes time by the cube of their number, a minute for
	// twenty titles with 4000 of them, and cannot be stopped. No language comes near.
	maxNeighbours = 500
	// numbers is how the pages are numbered, in pdfcpu's words.
	numbers = "font:Helvetica, points:8, position:bc, offset:0 14, rotation:0, scalefactor:1 abs, fillcolor:#666666"
)

// Renderer implements report.Renderer. It shows the columns that have a share
// of the page's width.
type Renderer struct{}

var _ report.Renderer = Renderer{}

func init() { api.DisableConfigDir() } // pdfcpu would write into the home directory

// Render implements report.Renderer.
func (Renderer) Render(ctx context.Context, w io.Writer, d report.Document) error {
	if d.Exceeds(maxRows) {
		return errTooMany()
	}
	t := newTable(d)
	n := 0
	for row, err := range d.Rows {
		if err == nil {
			err = ctx.Err()
		}
		if n++; err == nil && n > maxRows {
			err = errTooMany()
		}
		if err == nil {
			err = t.add(row)
		}
		if err != nil {
			return err
		}
	}
	if err := t.end(n); err != nil {
		return err
	}
	d.Replaced(t.lost)
	return bind(ctx, w, t.parts)
}

func errTooMany() error {
	return fault.New(fault.Invalid, "too_many_rows", fmt.Sprintf("a PDF holds at most %d rows: choose fewer, or XLSX or CSV", maxRows))
}

// bind merges the parts and numbers their pages.
func bind(ctx context.Context, w io.Writer, parts [][]byte) error {
	whole := parts[0]
	if len(parts) > 1 {
		var all []io.ReadSeeker
		for _, p := range parts {
			all = append(all, bytes.NewReader(p))
		}
		var b bytes.Buffer
		if err := api.MergeRaw(all, &b, false, configuration()); err != nil {
			return fmt.Errorf("merge: %w", err)
		}
		clear(slices.Clip(parts)) // they are not needed while the pages are numbered
		whole = b.Bytes()
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	stamp, err := api.TextWatermark("%p/%P", numbers, true, false, types.POINTS)
	if err != nil {
		return err
	}
	if err := api.AddWatermarks(bytes.NewReader(whole), w, nil, stamp, configuration()); err != nil {
		return fmt.Errorf("number pages: %w", err)
	}
	return nil
}

func configuration() *model.Configuration {
	c := model.NewDefaultConfiguration()
	c.ValidationMode = model.ValidationRelaxed
	return c
}
