package fault

// Check collects what is wrong with an input, so that a person is told
// everything at once. The zero Check is ready.
type Check struct{ fields []Field }

// MaxFields bounds the fields of one failure: what else is wrong is told when
// these are put right.
const MaxFields = 100

// That notes the field at pointer as wrong unless ok.
func (c *Check) That(ok bool, pointer, code, message string) {
	if !ok && len(c.fields) < MaxFields {
		c.fields = append(c.fields, Field{Pointer: pointer, Code: code, Message: message})
	}
}

// Within notes what err, an Invalid about the value at pointer, names.
func (c *Check) Within(pointer string, err error) {
	if f := As(err); f != nil {
		for _, x := range f.Fields {
			c.That(false, pointer+x.Pointer, x.Code, x.Message)
		}
	}
}

// Err returns nil, or one Invalid that names the fields noted, at most 100.
func (c *Check) Err() error {
	if len(c.fields) == 0 {
		return nil
	}
	return &Error{Kind: Invalid, Code: "invalid", Message: "the request breaks a rule", Fields: c.fields}
}

// InvalidAt returns an Invalid that names one field of the body.
func InvalidAt(pointer, code, message string) *Error {
	var c Check
	c.That(false, pointer, code, message)
	return As(c.Err())
}

// UnknownAt returns a NotFound that names the field of the body that names what
// is not there, and any other err as it is.
func UnknownAt(pointer string, err error) error {
	f := As(err)
	if f == nil || f.Kind != NotFound {
		return err
	}
	named := *f
	named.Fields = []Field{{Pointer: pointer, Code: f.Code, Message: f.Message}}
	return &named
}
