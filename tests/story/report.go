package story

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"net/http"

	openapi_types "github.com/oapi-codegen/runtime/types"

	bailiwick "bailiwick.dev/openapi/sdk/go"
)

// Report asks for a report of a project's tasks, follows its progress, and
// downloads the file, whose digest it checks.
func (p *Platform) Report(ctx context.Context, who *bailiwick.ClientWithResponses, format bailiwick.RunDraftFormat, project openapi_types.UUID) ([]byte, error) {
	title := "The office move"
	asked, err := who.CreateReportRunWithResponse(ctx, nil, bailiwick.RunDraft{Format: format, Title: &title, Filter: &bailiwick.RunFilter{ProjectId: &project}})
	if err := checked(asked, err, 202); err != nil {
		return nil, fmt.Errorf("ask for a report: %w", err)
	}
	id := asked.JSON202.Id
	run, err := bailiwick.WaitForReport(ctx, who, id, nil)
	if err != nil {
		return nil, err
	}
	got, err := who.DownloadReportFileWithResponse(ctx, id, nil)
	if err := checked(got, err, http.StatusOK); err != nil {
		return nil, fmt.Errorf("download: %w", err)
	}
	sum := sha256.Sum256(got.Body)
	if want := "sha-256=:" + base64.StdEncoding.EncodeToString(sum[:]) + ":"; got.HTTPResponse.Header.Get("Repr-Digest") != want || run.File.Digest != fmt.Sprintf("%x", sum) {
		return nil, fmt.Errorf("the digest of the %s does not match", format)
	}
	if err := p.part(ctx, who, id, got.Body); err != nil {
		return nil, err
	}
	p.Say("downloaded the %s: %d rows, %d bytes, and the digest matches", format, run.Progress.RowsDone, len(got.Body))
	return got.Body, nil
}

// part asks for a range, which must be that part of the file.
func (p *Platform) part(ctx context.Context, who *bailiwick.ClientWithResponses, id openapi_types.UUID, whole []byte) error {
	span := "bytes=10-19"
	got, err := who.DownloadReportFileWithResponse(ctx, id, &bailiwick.DownloadReportFileParams{Range: &span})
	if err := checked(got, err, http.StatusPartialContent); err != nil {
		return fmt.Errorf("download a part: %w", err)
	}
	if !bytes.Equal(got.Body, whole[10:20]) {
		return fmt.Errorf("%s is not that part of the file", span)
	}
	return nil
}
