package xlsx

import (
	"archive/zip"
	"bytes"
	"errors"
	"io/fs"
	"strings"
	"testing"

	"github.com/xuri/excelize/v2"
)

// No text takes more of a sheet than it is counted for: Excel takes a larger
// sheet for a broken file.
func TestTextIsCountedAsItIsWritten(t *testing.T) {
	t.Parallel()
	for _, s := range []string{`"`, "'", "&", "<", ">", "\t", "\r", "\n", "\x01", "\uFFFE", "\uFFFF", "\xff", "\ufffd", "_x0041_", "_x005F_x0041_", "a", "é", "😀"} {
		s = strings.Repeat(s, 100)
		f := excelize.NewFile()
		out, err := f.NewStreamWriter("Sheet1")
		if err == nil {
			err = out.SetRow("A1", []any{s})
		}
		if err == nil {
			err = out.Flush()
		}
		var file bytes.Buffer
		if err := errors.Join(err, f.Write(&file), f.Close()); err != nil {
			t.Fatal(err)
		}
		want := written(t, file.Bytes())
		if got, _ := weigh(s); got < want || got > want+400 {
			t.Errorf("%.10q is counted as %d bytes, and is written as %d", s, got, want)
		}
	}
}

// written returns how long the text is in the sheet's XML.
func written(t *testing.T, file []byte) int64 {
	t.Helper()
	z, err := zip.NewReader(bytes.NewReader(file), int64(len(file)))
	if err != nil {
		t.Fatal(err)
	}
	b, err := fs.ReadFile(z, "xl/worksheets/sheet1.xml")
	_, b, found := bytes.Cut(b, []byte("<is><t"))
	_, b, _ = bytes.Cut(b, []byte(">"))
	b, _, ended := bytes.Cut(b, []byte("</t>"))
	if err != nil || !found || !ended {
		t.Fatalf("%v in %.500s", err, b)
	}
	return int64(len(b))
}
