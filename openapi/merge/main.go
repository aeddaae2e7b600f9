// Command merge makes one OpenAPI document out of those of the services, which
// keep their paths apart by their first segment. A name that means different
// things in two documents is an error.
//
//	merge auth.json users.json … > openapi.json
package main

import (
	"encoding/json"
	"fmt"
	"os"
	"reflect"
)

type object = map[string]any

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "merge:", err)
		os.Exit(1)
	}
}

func run(files []string) error {
	var merged object
	for _, name := range files {
		data, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		var doc object
		if err := json.Unmarshal(data, &doc); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		if merged == nil {
			merged = doc
			continue
		}
		if err := merge(merged, doc); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	merged["info"] = info(merged)
	enc := json.NewEncoder(os.Stdout)
	enc.SetIndent("", "  ")
	enc.SetEscapeHTML(false)
	return enc.Encode(merged)
}

func info(doc object) object {
	one := doc["info"].(object)
	one["title"] = "Bailiwick"
	one["description"] = "Tenants and their people, who may do what, tasks, and reports: the whole platform behind one gateway. " +
		"Errors are problems (RFC 9457); lists have cursors; what changes has an ETag; every write accepts an Idempotency-Key."
	return one
}

func merge(into, doc object) error {
	for _, section := range []string{"paths", "components"} {
		if err := union(section, into[section], doc[section]); err != nil {
			return err
		}
	}
	have := map[any]bool{}
	tags, _ := into["tags"].([]any)
	for _, t := range tags {
		have[t.(object)["name"]] = true
	}
	more, _ := doc["tags"].([]any)
	for _, t := range more {
		if !have[t.(object)["name"]] {
			tags = append(tags, t)
		}
	}
	into["tags"] = tags
	return nil
}

// union adds what b has to a, two levels of names deep: components/schemas/Task.
func union(at string, a, b any) error {
	to, from := asObject(a), asObject(b)
	for name, value := range from {
		have, taken := to[name]
		switch {
		case !taken:
			to[name] = value
		case reflect.DeepEqual(have, value):
		case at == "components" || at == "paths":
			if err := union(at+"/"+name, have, value); err != nil {
				return err
			}
		default:
			return fmt.Errorf("%s/%s means two things", at, name)
		}
	}
	return nil
}

func asObject(v any) object {
	o, _ := v.(object)
	return o
}
