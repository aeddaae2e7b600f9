package filter

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"bailiwick.dev/domain/fault"
)

// Parse reads a filter over fields. It returns nil for an empty one, and
// fault.Invalid, whose field carries the position in characters, counted from
// 1, for one that it does not understand.
func Parse(text string, fields []Field, env Env) (Expr, error) {
	p := &parser{fields: fields, env: env}
	if utf8.RuneCountInString(text) > maxLength {
		return nil, p.fail(1, "too_long", fmt.Sprintf("a filter has at most %d characters", maxLength))
	}
	var err error
	if p.tokens, err = p.lex(text); err != nil || len(p.tokens) == 1 {
		return nil, err
	}
	e, err := p.or(0)
	if err == nil && p.peek().kind != end {
		err = p.unexpected("and, or, or the end")
	}
	if err != nil {
		return nil, err
	}
	return e, nil
}

type parser struct {
	fields   []Field
	env      Env
	tokens   []token
	at       int
	compares int
}

func (p *parser) peek() token { return p.tokens[p.at] }

func (p *parser) next() token {
	t := p.tokens[p.at]
	if t.kind != end {
		p.at++
	}
	return t
}

// word takes the next token if it is the word or sign s.
func (p *parser) word(s string) bool {
	t := p.peek()
	if (t.kind == word && strings.EqualFold(t.text, s)) || (t.kind == sign && t.text == s) {
		p.at++
		return true
	}
	return false
}

func (p *parser) fail(at int, code, message string) error {
	return &fault.Error{Kind: fault.Invalid, Code: "invalid_filter", Message: "the filter is not understood",
		Fields: []fault.Field{{Parameter: "filter", Position: at, Code: code, Message: message}}}
}

func (p *parser) unexpected(wanted string) error {
	return p.fail(p.peek().at, "syntax", "here it wants "+wanted)
}

func (p *parser) or(depth int) (Expr, error) {
	left, err := p.and(depth)
	for err == nil && p.word("or") {
		var right Expr
		if right, err = p.and(depth); err == nil {
			left = Or{left, right}
		}
	}
	return left, err
}

func (p *parser) and(depth int) (Expr, error) {
	left, err := p.not(depth)
	for err == nil && p.word("and") {
		var right Expr
		if right, err = p.not(depth); err == nil {
			left = And{left, right}
		}
	}
	return left, err
}

func (p *parser) not(depth int) (Expr, error) {
	at := p.peek().at
	switch {
	case depth > maxDepth:
		return nil, p.fail(at, "too_deep", fmt.Sprintf("nests deeper than %d", maxDepth))
	case p.word("not"):
		x, err := p.not(depth + 1)
		return Not{x}, err
	case p.word("("):
		x, err := p.or(depth + 1)
		if err == nil && !p.word(")") {
			err = p.unexpected("a closing parenthesis")
		}
		return x, err
	}
	return p.compare()
}

func (p *parser) compare() (Expr, error) {
	if p.peek().kind != word {
		return nil, p.unexpected("a field, not, or a parenthesis")
	}
	name := p.next()
	i := slices.IndexFunc(p.fields, func(f Field) bool { return name.text == f.Name || name.text == f.Also })
	if i < 0 {
		return nil, p.fail(name.at, "unknown_field", "the fields are "+p.names())
	}
	if p.compares++; p.compares > maxCompares {
		return nil, p.fail(name.at, "too_long", fmt.Sprintf("a filter compares at most %d times", maxCompares))
	}
	c := Compare{Field: p.fields[i]}
	at := p.peek().at
	switch {
	case p.word("is"):
		return p.empty(c, at)
	case p.word("in"):
		return p.in(c)
	case p.word("not"):
		if !p.word("in") {
			return nil, p.unexpected("in")
		}
		x, err := p.in(c)
		return Not{x}, err
	case p.peek().kind != sign || !operator(p.peek().text):
		return nil, p.unexpected("an operator: = != < <= > >= ~ in, not in, is empty")
	}
	c.Op = Op(p.next().text)
	negated := c.Op == notEqual
	if negated {
		c.Op = Equal
	}
	if !c.Field.takes(c.Op) {
		return nil, p.fail(at, "wrong_operator", "this field takes "+c.Field.operators())
	}
	v, err := p.value(c.Field)
	c.Values = []any{v}
	if negated {
		return Not{c}, err
	}
	return c, err
}

func (p *parser) empty(c Compare, at int) (Expr, error) {
	negated := p.word("not")
	if !p.word("empty") {
		return nil, p.unexpected("empty")
	}
	if !c.Field.empties() {
		return nil, p.fail(at, "wrong_operator", "this field is never empty: it takes "+c.Field.operators())
	}
	if c.Op = Empty; negated {
		return Not{c}, nil
	}
	return c, nil
}

func (p *parser) in(c Compare) (Expr, error) {
	c.Op = In
	if !p.word("(") {
		return nil, p.unexpected("an opening parenthesis")
	}
	for {
		at := p.peek().at
		v, err := p.value(c.Field)
		if err != nil {
			return nil, err
		}
		if c.Values = append(c.Values, v); len(c.Values) > maxValues {
			return nil, p.fail(at, "too_long", fmt.Sprintf("at most %d values", maxValues))
		}
		if p.word(")") {
			return c, nil
		}
		if !p.word(",") {
			return nil, p.unexpected("a comma or a closing parenthesis")
		}
	}
}

func (p *parser) names() string {
	all := make([]string, len(p.fields))
	for i, f := range p.fields {
		if all[i] = f.Name; f.Also != "" {
			all[i] += " (or " + f.Also + ")"
		}
	}
	return strings.Join(all, ", ")
}

// operators names those that f takes.
func (f Field) operators() string {
	all := []string{string(Equal), string(notEqual)}
	for _, op := range []Op{Less, LessEqual, More, MoreEqual, Contains} {
		if f.takes(op) {
			all = append(all, string(op))
		}
	}
	all = append(all, "in", "not in")
	if f.empties() {
		all = append(all, "is empty", "is not empty")
	}
	return strings.Join(all, ", ")
}

// empties reports whether f may be empty.
func (f Field) empties() bool { return f.Nullable || f.Many }

func (f Field) takes(op Op) bool {
	switch op {
	case Equal:
		return true
	case Contains:
		return f.Kind == Text && !f.Many && f.Values == nil
	}
	return f.Kind == Time || f.Kind == Number
}

func operator(s string) bool {
	return slices.Contains([]Op{Equal, notEqual, Less, LessEqual, More, MoreEqual, Contains}, Op(s))
}
