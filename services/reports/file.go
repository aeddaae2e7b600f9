package main

import (
	"encoding/base64"
	"encoding/hex"
	"maps"
	"mime"
	"net/http"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"bailiwick.dev/adapters/rest"
	"bailiwick.dev/domain/identity"
	"bailiwick.dev/domain/report"
	"bailiwick.dev/domain/task"
)

const filePath = "/v1/runs/{id}/file"

// registerFile adds the download. It writes its answer itself: net/http knows
// ranges (RFC 9110, section 14) and conditions.
func (a *api) registerFile(r *rest.API) {
	rest.Stream(r, rest.Operation{
		ID: "download-report-file", Method: http.MethodGet, Path: filePath, Tag: tag, Scope: scope, Needs: rest.Needs{report.ReportsRead, task.TasksRead}, Errors: []int{404, 409, 412, 416},
		Produces: []string{"application/pdf", report.XLSX.MediaType(), "text/csv"},
		Summary:  "Download a run's file", Description: "When the run has succeeded, and for 30 days from then. Parts of it can be asked for with Range.",
	}, a.file)
	describeFile(r.OpenAPI().Paths["/reports"+filePath].Get.Responses)
}

// FileInput names a run's file, and what of it is wanted.
type FileInput struct {
	ByID
	Range       string `header:"Range" doc:"RFC 9110, section 14.2" example:"bytes=0-1023"`
	IfNoneMatch string `header:"If-None-Match" doc:"The ETag of the file at hand"`
}

func (a *api) file(w http.ResponseWriter, req *http.Request, who identity.Caller, in *FileInput) error {
	run, content, err := a.reports.Open(req.Context(), who, in.ID)
	if err != nil {
		return err
	}
	defer content.Close()
	describe(w.Header(), *run.File)
	rest.ServeContent(w, req, *run.FinishedAt, content)
	return nil
}

// describe names the file, and its digest (RFC 9530) as the entity tag too.
func describe(h http.Header, f report.RunFile) {
	rest.AsStored(h)
	h.Set("Content-Type", f.MediaType)
	h.Set("Content-Disposition", attachment(f.Name))
	h.Set("ETag", `"`+f.Digest+`"`)
	if sum, err := hex.DecodeString(f.Digest); err == nil {
		h.Set("Repr-Digest", "sha-256=:"+base64.StdEncoding.EncodeToString(sum)+":")
	}
	h.Set("Cache-Control", "private, no-cache") // who may read it is asked each time
	h.Set("X-Content-Type-Options", "nosniff")
}

// attachment names a file; where that is not ASCII, a second time for who knows no
// better (RFC 6266, appendix D).
func attachment(name string) string {
	header := func(name string) string {
		return mime.FormatMediaType("attachment", map[string]string{"filename": name})
	}
	plain := strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' {
			return '_'
		}
		return r
	}, name)
	if plain == name {
		return header(name)
	}
	return header(plain) + strings.TrimPrefix(header(name), "attachment")
}

// describeFile documents what net/http adds.
func describeFile(answers map[string]*huma.Response) {
	whole := answers["200"]
	for _, m := range whole.Content {
		m.Schema = &huma.Schema{Type: "string", Format: "binary"}
	}
	for name, doc := range map[string]string{
		"ETag": "The file's SHA-256 in hexadecimal", "Repr-Digest": "The file's SHA-256 (RFC 9530)", "Content-Disposition": "The file's name", "Accept-Ranges": "bytes", "Last-Modified": "When the file was made"} {
		whole.Headers[name] = &huma.Param{Description: doc, Schema: &huma.Schema{Type: "string"}}
	}
	part := &huma.Param{Description: "Which bytes of how many (RFC 9110, section 14.4)", Example: "bytes 0-1023/146515", Schema: &huma.Schema{Type: "string"}}
	answers["206"] = &huma.Response{Description: "The part of it that Range names", Content: whole.Content, Headers: maps.Clone(whole.Headers)}
	answers["206"].Headers["Content-Range"] = part
	answers["304"] = &huma.Response{Description: "It is the one that If-None-Match names", Headers: map[string]*huma.Param{"ETag": whole.Headers["ETag"]}}
	answers["416"].Description, answers["416"].Headers["Content-Range"] = "Range lies outside of it", part
}
