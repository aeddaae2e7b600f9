package main

import (
	"encoding/base64"
	"encoding/hex"
	"mime"
	"net/http"

	"github.com/danielgtaylor/huma/v2"
	"github.com/go-chi/chi/v5"
	"github.com/google/uuid"

	"bailiwick.dev/adapters/rest"
	"bailiwick.dev/domain/fault"
	"bailiwick.dev/domain/report"
)

const filePath = "/reports/v1/runs/{id}/file"

// registerFile adds the download. It is no huma operation, which would hold
// the answer in memory and accept JSON alone; net/http knows ranges (RFC 9110,
// section 14) and conditions.
func (a *api) registerFile(r *rest.API) {
	download := r.Router().With(r.Authenticate(scope))
	download.Get(filePath, a.file)
	download.Head(filePath, a.file)
	r.OpenAPI().AddOperation(fileOperation())
}

func (a *api) file(w http.ResponseWriter, req *http.Request) {
	id, err := uuid.Parse(chi.URLParam(req, "id"))
	if err != nil {
		rest.WriteProblem(w, req, fault.New(fault.Invalid, "invalid", "the id is no UUID"))
		return
	}
	run, content, err := a.reports.Open(req.Context(), rest.Caller(req.Context()), id)
	if err != nil {
		rest.WriteProblem(w, req, err)
		return
	}
	defer content.Close()
	describe(w.Header(), *run.File)
	http.ServeContent(w, req, "", *run.FinishedAt, content)
}

// describe names the file, and its digest (RFC 9530) as the entity tag too.
func describe(h http.Header, f report.RunFile) {
	h.Set("Content-Type", f.MediaType)
	h.Set("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": f.Name}))
	h.Set("ETag", `"`+f.Digest+`"`)
	if sum, err := hex.DecodeString(f.Digest); err == nil {
		h.Set("Repr-Digest", "sha-256=:"+base64.StdEncoding.EncodeToString(sum)+":")
	}
	h.Set("Cache-Control", "private, no-cache") // who may read it is asked each time
	h.Set("X-Content-Type-Options", "nosniff")
}

// fileOperation documents the download.
func fileOperation() *huma.Operation {
	binary := map[string]*huma.MediaType{}
	for _, f := range []report.Format{report.PDF, report.XLSX, report.CSV} {
		kind, _, _ := mime.ParseMediaType(f.MediaType())
		binary[kind] = &huma.MediaType{Schema: &huma.Schema{Type: "string", Format: "binary"}}
	}
	headers := map[string]*huma.Param{}
	for name, doc := range map[string]string{
		"ETag": "The file's SHA-256 in hexadecimal", "Repr-Digest": "The file's SHA-256 (RFC 9530)", "Content-Disposition": "The file's name", "Accept-Ranges": "bytes"} {
		headers[name] = &huma.Param{Description: doc, Schema: &huma.Schema{Type: "string"}}
	}
	answers := map[string]*huma.Response{
		"200": {Description: "The file", Content: binary, Headers: headers},
		"206": {Description: "The part of it that Range names", Content: binary, Headers: headers},
		"304": {Description: "It is the one that If-None-Match names"},
		"416": {Description: "Range lies outside of it"},
	}
	problem := map[string]*huma.MediaType{"application/problem+json": {Schema: &huma.Schema{Ref: "#/components/schemas/Problem"}}}
	for status, what := range map[string]string{"401": "Unauthorized", "403": "Forbidden", "404": "Not Found", "409": "Conflict: the run has no file", "422": "Unprocessable Entity", "500": "Internal Server Error", "503": "Service Unavailable"} {
		answers[status] = &huma.Response{Description: what, Content: problem}
	}
	text := &huma.Schema{Type: "string"}
	return &huma.Operation{
		OperationID: "download-report-file", Method: http.MethodGet, Path: filePath, Tags: []string{tag},
		Summary: "Download a run's file", Description: "When the run has succeeded. Parts of it can be asked for with Range.",
		Parameters: []*huma.Param{
			{Name: "id", In: "path", Required: true, Schema: &huma.Schema{Type: "string", Format: "uuid"}, Example: "0199a1b2-c3d4-7e5f-8a6b-000000000004"},
			{Name: "Range", In: "header", Description: "RFC 9110, section 14.2", Schema: text, Example: "bytes=0-1023"},
			{Name: "If-None-Match", In: "header", Description: "The ETag of the file at hand", Schema: text},
		},
		Responses: answers, Security: []map[string][]string{{"oauth2": {scope}}},
	}
}
