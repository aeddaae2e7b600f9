package pagestest_test

import (
	"testing"

	"bailiwick.dev/adapters/pages/pagestest"
)

func TestSoundPageIsHeldSound(t *testing.T) {
	t.Parallel()
	pagestest.Hold(t, "sound", `<!doctype html><html lang="en"><title>Error: log in</title><main><h1>Log in</h1>
<p role="alert" id="problem">It is wrong.</p><form><label for="a">Name</label><input id="a" name="a" autocomplete="name" aria-invalid="true" aria-describedby="problem"><button>Go on</button></form></main>`)
}
